/** Events on their way to an outcome. This transaction has locked their notifications. */
import type { PaymentEvent } from '@payonce/providers/event';
import type { EventOutcome } from './notification.js';
import { type HeldEvent, holdReasonOf } from './stored-event.js';

/** An event that waits for its outcome. */
export interface PendingEvent {
  readonly notificationRowId: bigint;
  readonly receivedAt: Date;
  readonly position: number;
  readonly merchant: string;
  readonly event: PaymentEvent;
  /** The outcome, if no order can change it (`fixedOutcome`). */
  readonly fixed: EventOutcome | null;
  /** The row of an event that is held; null for an event that is not stored yet. */
  readonly stored: HeldEvent | null;
}

/** A held event that is resolved again. */
export interface PendingHeldEvent extends PendingEvent {
  readonly stored: HeldEvent;
}

/** An event with its outcome. */
export type ResolvedEvent<Pending extends PendingEvent = PendingEvent> = Pending & {
  readonly outcome: EventOutcome;
};

export function isStored<Event extends PendingEvent>(
  event: Event,
): event is Event & PendingHeldEvent {
  return event.stored !== null;
}

/** Whether its row does not have this outcome yet. */
export function isChanged({ stored, outcome }: ResolvedEvent): boolean {
  return stored === null || holdReasonOf(outcome) !== stored.outcome.reason;
}
