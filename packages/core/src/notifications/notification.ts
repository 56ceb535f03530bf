import type { PaymentEvent } from '../providers/event.js';
import type { ContentIdentity, ProviderId } from '../providers/provider.js';

/** A decoded notification whose origin the worker has verified again, ready to be applied. */
export interface VerifiedNotification {
  readonly provider: ProviderId;
  /** The channel's key: notification IDs are unique within it. */
  readonly channel: string;
  /** The merchant that owns the orders. */
  readonly merchant: string;
  readonly notificationId: string;
  /** 64 hex digits, by the rule `text`: equal ones are one content (`ContentRule`). */
  readonly digest: string;
  /** Its name and digest by the rule of the previous release; absent where both rules agree. */
  readonly former?: ContentIdentity | null;
  readonly authenticity: 'signed' | 'encrypted';
  readonly receivedAt: Date;
  /** The raw bytes, kept as evidence. */
  readonly body: Buffer;
  /** The headers that verification needed. */
  readonly headers: Readonly<Record<string, string>>;
  /** One, or several for combined orders; never empty. */
  readonly events: readonly PaymentEvent[];
}

/** Why an event waits for a person, a registration or a later notice. It stays until released. */
export const HOLD_REASONS = [
  'unknown_order',
  'amount_mismatch',
  'currency_mismatch',
  'merchant_mismatch',
  'trade_on_other_order',
  'id_conflict',
  'unsupported_event',
  'unconfirmed',
  'internal_error',
] as const;
export type HoldReason = (typeof HOLD_REASONS)[number];

/** The result of one event. `duplicate`: another notification, but every fact was already known. */
export type EventOutcome =
  | { readonly outcome: 'applied' }
  | { readonly outcome: 'duplicate' }
  | { readonly outcome: 'ignored' }
  | { readonly outcome: 'held'; readonly reason: HoldReason };

/** The result of one notification; `copy` when an earlier copy of it was already decided. */
export interface ApplyOutcome {
  readonly notificationId: string;
  readonly copy: boolean;
  readonly events: readonly EventOutcome[];
  /**
   * Encrypted, unsigned, and one content too many under its ID: counted as a copy, and not stored.
   */
  readonly surplus?: boolean;
}
