import type { Standing } from './contents.js';
import type { HeldEvent } from './event-rows.js';
import type { VerifiedNotification } from './notification.js';
import type { NotificationRow } from './notification-rows.js';

/** One message, with the number of its copies in the batch. */
export interface Group {
  /** See `contentKey`. */
  readonly key: string;
  readonly notification: VerifiedNotification;
  readonly count: number;
}

/** A group and its locked row. */
export interface Entry extends Group {
  readonly row: NotificationRow;
  readonly isNew: boolean;
  /** Per event, what the other contents under its ID mean for it; null for the first content. */
  readonly standings: readonly Standing[] | null;
}

/** The locked rows of a batch. */
export interface Entered {
  readonly entries: Map<string, Entry>;
  /** Held events of contents that equal one of the batch: the batch decides them too. */
  readonly equalHeld: readonly { readonly stored: HeldEvent; readonly standing: Standing }[];
  /**
   * Groups that are not stored (`ApplyOutcome.surplus`): the row that counts them, and the
   * `contentsKey` of their ID.
   */
  readonly surplus: Map<
    string,
    { readonly rowId: bigint; readonly count: number; readonly id: string }
  >;
}
