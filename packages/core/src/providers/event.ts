import type { Fact } from '../orders/fact.js';
import type { Rail } from '../rail.js';

export type { Rail };

/**
 * What a verified notification says of one order, in no provider's words.
 * One notification carries one event, except WeChat's combined orders (several).
 */
export type PaymentEvent = OrderStatement | NothingToApply | NotUnderstood;

/** Says something that is true of an order. It states all that it implies, since others may be lost. */
export interface OrderStatement {
  readonly kind: 'order';
  readonly rail: Rail;
  /** The provider's `out_trade_no`. */
  readonly orderNumber: string;
  /** The trade (`trade_no`, `transaction_id`) that the statement is about; null for an order closed unpaid without one. */
  readonly trade: string | null;
  /**
   * What the provider says the order costs, in minor units (Alipay `total_amount`, v2 `total_fee`,
   * v3 `amount.total`); compared with the amount due. Null where the message does not say.
   */
  readonly amount: bigint | null;
  /** ISO 4217; an absent currency is CNY. */
  readonly currency: string;
  /** False when app, seller or merchant numbers are not the channel's: held as `merchant_mismatch`. */
  readonly payeeMatches: boolean;
  /** False for messages that are encrypted but not signed (v2 refund notices): held as `unconfirmed`. */
  readonly signed: boolean;
  /** Never empty. */
  readonly facts: readonly Fact[];
}

/** Understood, and changes nothing by its meaning (WAIT_BUYER_PAY, a failed payment): `ignored`, and kept. */
export interface NothingToApply {
  readonly kind: 'nothing';
  readonly orderNumber: string | null;
  /** The provider's own words, e.g. `WAIT_BUYER_PAY`. */
  readonly says: string;
}

/** Genuine, but of a kind this version does not understand: held as `unsupported_event`. */
export interface NotUnderstood {
  readonly kind: 'unsupported';
  readonly orderNumber: string | null;
  /** The provider's own type, e.g. `PAYSCORE.USER_PAID`. */
  readonly says: string;
}
