import type { PaymentEvent } from '@payonce/providers/event';
import type { ContentIdentity, ProviderId } from '@payonce/providers/provider';
import type { HoldReason } from '../../database/hold-reason.js';

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
  readonly overLimit?: boolean;
}
