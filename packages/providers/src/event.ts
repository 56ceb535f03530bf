import type { Fact } from './fact.js';
import type { Rail } from './rail.js';

export type { Rail };

/**
 * The content of a verified notification for one order, independent of the provider. One
 * notification carries one event, except WeChat's combined orders (several).
 */
export type PaymentEvent = OrderStatement | NothingToApply | NotUnderstood;

/** Characters of the longest order number that a provider allows. */
export const MOST_ORDER_NUMBER_CHARACTERS = 64;

/**
 * States facts about an order. It includes all that it implies, since other notifications may be
 * lost.
 */
export interface OrderStatement {
  readonly kind: 'order';
  readonly rail: Rail;
  /** The provider's `out_trade_no`. */
  readonly orderNumber: string;
  /**
   * The trade (`trade_no`, `transaction_id`) that the statement concerns; null for an order closed
   * unpaid without one.
   */
  readonly trade: string | null;
  /**
   * The order's amount by the provider, in minor units (Alipay `total_amount`, v2 `total_fee`, v3
   * `amount.total`). It is compared with the amount due. Null if the message does not state it.
   */
  readonly amount: bigint | null;
  /** ISO 4217; an absent currency is CNY. */
  readonly currency: string;
  /**
   * False when app, seller or merchant numbers are not the channel's: held as `merchant_mismatch`.
   */
  readonly payeeMatches: boolean;
  /**
   * False for messages that are encrypted but not signed (v2 refund notices): held as
   * `unconfirmed`.
   */
  readonly signed: boolean;
  /** Never empty. */
  readonly facts: readonly Fact[];
}

/**
 * Understood, and changes nothing by its meaning (WAIT_BUYER_PAY, a failed payment): `ignored`, and
 * kept.
 */
export interface NothingToApply {
  readonly kind: 'nothing';
  readonly orderNumber: string | null;
  /** The provider's term, e.g. `WAIT_BUYER_PAY`. */
  readonly says: string;
}

/** Genuine, but this release does not support its kind: held as `unsupported_event`. */
export interface NotUnderstood {
  readonly kind: 'unsupported';
  readonly orderNumber: string | null;
  /** The provider's type, e.g. `PAYSCORE.USER_PAID`. */
  readonly says: string;
}
