import type { PaymentEvent } from '@payonce/providers/event';
import type { HoldReason } from '../../database/hold-reason.js';
import type { EventOutcome } from './notification.js';

/** An event as stored; held ones carry the decoded event. */
export interface StoredEvent {
  readonly id: bigint;
  readonly notificationRowId: bigint;
  /** The receipt of its notification. */
  readonly receivedAt: Date;
  readonly merchant: string;
  readonly position: number;
  readonly outcome: EventOutcome;
  /** How often the schedule has retried it. */
  readonly tries: number;
  /** Null for a decided event: nothing more follows from it. */
  readonly event: PaymentEvent | null;
}

/** A stored event that still waits. */
export interface HeldEvent extends StoredEvent {
  readonly event: PaymentEvent;
  readonly outcome: { readonly outcome: 'held'; readonly reason: HoldReason };
}

export function isHeld(stored: StoredEvent): stored is HeldEvent {
  return stored.outcome.outcome === 'held' && stored.event !== null;
}

/** The reason of a held event; null for other outcomes. */
export function holdReasonOf(outcome: EventOutcome): HoldReason | null {
  return outcome.outcome === 'held' ? outcome.reason : null;
}

/** PostgreSQL's text takes no NUL; such a number finds no order anyway. */
export function storable(text: string | null): string | null {
  return text === null || text.includes('\0') ? null : text;
}
