/** Events on their way to an outcome; their notifications are locked by this transaction. */
import type { PaymentEvent } from '../providers/event.js';
import type { Standing } from './contents.js';
import type { HeldEvent, NewEvent, Redecided } from './event-rows.js';
import type { EventOutcome, HoldReason } from './notification.js';

/** An event that waits for its outcome. */
export interface PendingEvent {
  readonly merchant: string;
  readonly notificationRowId: bigint;
  readonly event: PaymentEvent;
  /** What other contents under its notification ID mean for it. */
  readonly standing: Standing;
  /**
   * Held for this reason whatever it says (`id_conflict`, `internal_error`); no order is touched.
   */
  readonly forced: HoldReason | null;
}

/** One that is not stored yet. */
export interface FreshEvent extends PendingEvent {
  readonly position: number;
  readonly stored: null;
}

/** One that is stored and held, and is decided again. */
export interface AskedAgain extends PendingEvent {
  readonly stored: HeldEvent;
}

/** An event with its outcome. */
export interface SettledEvent<Pending extends PendingEvent> {
  readonly pending: Pending;
  readonly outcome: EventOutcome;
}

/**
 * A held event to be decided again. Other content under a known ID stays so, unless an equal one is
 * found.
 */
export function toPending(
  stored: HeldEvent,
  forced: HoldReason | null,
  standing: Standing,
): AskedAgain {
  const { merchant, notificationRowId, event } = stored;
  return {
    merchant,
    notificationRowId,
    event,
    standing,
    forced: standing === 'id_conflict' ? standing : forced,
    stored,
  };
}

/** What is to be written of settled events: new rows, and changes of stored ones. */
export interface EventWrites {
  readonly added: readonly NewEvent[];
  readonly redecided: readonly Redecided[];
}

/** Both in the order of the events. */
export function toWrite(settled: readonly SettledEvent<FreshEvent | AskedAgain>[]): EventWrites {
  const added: NewEvent[] = [];
  const redecided: Redecided[] = [];
  for (const { pending, outcome } of settled) {
    const { stored } = pending;
    if (stored === null) added.push({ ...pending, outcome });
    else redecided.push({ stored, outcome, scheduled: false });
  }
  return { added, redecided };
}
