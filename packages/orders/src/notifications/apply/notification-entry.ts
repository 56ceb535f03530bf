import type { ContentEffect } from '../contents/compare-contents.js';
import type { VerifiedNotification } from '../records/notification.js';
import { identityKey, type NotificationRow } from '../records/notification-identity.js';
import type { HeldEvent } from '../records/stored-event.js';

/** One content of the batch, with the number of its copies there. */
export interface DistinctContent {
  /** From `contentKey`. */
  readonly key: string;
  readonly notification: VerifiedNotification;
  readonly count: number;
}

/** A content and its locked row. */
export interface NotificationEntry extends DistinctContent {
  readonly row: NotificationRow;
  readonly isNew: boolean;
  /** Per event, what the other contents under its ID mean for it; null for the first content. */
  readonly effects: readonly ContentEffect[] | null;
}

/** A held event of a content that is not in the batch, and equals one that is. */
export interface EqualHeldEvent {
  readonly stored: HeldEvent;
  readonly effect: ContentEffect;
}

/** A content that is not stored (`ApplyOutcome.overLimit`). */
export interface ContentOverLimit {
  /** The row of the first content, which counts it. */
  readonly rowId: bigint;
  readonly count: number;
  /** The `sharedIdKey` of its ID. */
  readonly sharedId: string;
}

/** The contents of a batch with their rows. All maps have the keys of `contentKey`. */
export interface Upserted {
  readonly entries: Map<string, NotificationEntry>;
  /** The batch resolves them too. */
  readonly equalHeld: readonly EqualHeldEvent[];
  readonly overLimit: Map<string, ContentOverLimit>;
}

/** One text per content. */
export function contentKey({ channel, notificationId, digest }: VerifiedNotification): string {
  return identityKey({ channel, notificationId, variant: digest });
}

/** One per content, in the order of the batch. */
export function distinctContents(batch: readonly VerifiedNotification[]): DistinctContent[] {
  const contents = new Map<string, DistinctContent>();
  for (const notification of batch) {
    const key = contentKey(notification);
    contents.set(key, { key, notification, count: (contents.get(key)?.count ?? 0) + 1 });
  }
  return [...contents.values()];
}
