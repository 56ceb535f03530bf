/** Events before their outcome. This transaction has locked their notifications. */
import type { PaymentEvent } from '@payonce/providers/event';
import type { HoldReason } from '../database/hold-reason.js';
import type { Standing } from './contents.js';
import type { HeldEvent, NewEvent, Redecided } from './event-rows.js';
import type { EventOutcome } from './notification.js';

/** An event that waits for its outcome. */
export interface PendingEvent {
  readonly merchant: string;
  readonly notificationRowId: bigint;
  readonly event: PaymentEvent;
  /** The meaning of other contents under its notification ID for this event. */
  readonly standing: Standing;
  /**
   * The event is held for this reason regardless of its content (`id_conflict`, `internal_error`),
   * and no order is touched.
   */
  readonly forced: HoldReason | null;
}

/** An event that is not stored yet. */
export interface FreshEvent extends PendingEvent {
  readonly position: number;
  readonly stored: null;
}

/** A stored, held event that is decided again. */
export interface AskedAgain extends PendingEvent {
  readonly stored: HeldEvent;
}

/** An event with its outcome. */
export interface SettledEvent<Pending extends PendingEvent> {
  readonly pending: Pending;
  readonly outcome: EventOutcome;
}

/**
 * A held event to be decided again. A conflict of contents under one ID remains, unless an equal
 * content is found.
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

/** The rows to write for settled events: new ones, and changes of stored ones. */
export interface EventWrites {
  readonly added: readonly NewEvent[];
  readonly redecided: readonly Redecided[];
}

/** Both lists keep the order of the events. */
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
