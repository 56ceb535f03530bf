import type { Rail } from '@payonce/providers/rail';

export interface OrderKey {
  readonly merchant: string;
  /** The provider's `out_trade_no`; unique within the merchant. */
  readonly number: string;
}

/** One text per (merchant, number), for maps. */
export function orderKey({ merchant, number }: OrderKey): string {
  return JSON.stringify([merchant, number]);
}

/** The amount due, as the merchant registered it. Never changes. */
export interface OrderTerms extends OrderKey {
  /** Due, in minor units; more than zero. */
  readonly amount: bigint;
  /** ISO 4217. */
  readonly currency: string;
}

export const ORDER_STATUSES = [
  'pending',
  'paid',
  'partially_refunded',
  'refunded',
  'closed',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/**
 * What a person should see; no flag changes the status.
 * - `second_payment`: more than one trade paid
 * - `over_refund`: a trade was refunded more than it paid
 * - `refund_abnormal`: a refund failed at the bank (WeChat ABNORMAL) and was neither repeated nor
 *   closed
 * - `paid_late`: paid after it was closed
 * - `closed_though_paid`: closed although it was paid, or it is unknown which came first
 * - `contested_trade`: an order of another merchant has one of its trades, too
 */
export const ATTENTION_FLAGS = [
  'second_payment',
  'over_refund',
  'refund_abnormal',
  'paid_late',
  'closed_though_paid',
  'contested_trade',
] as const;
export type AttentionFlag = (typeof ATTENTION_FLAGS)[number];

/** The state of one trade. */
export interface TradeState {
  readonly rail: Rail;
  readonly trade: string;
  /** Null when no payment by it is known (closed unpaid, or a refund without its payment). */
  readonly paidAmount: bigint | null;
  readonly paidAt: Date | null;
  readonly refundedAmount: bigint;
  /** No refund is possible any more. */
  readonly finished: boolean;
}

/** All that follows from an order's facts. */
export interface OrderState {
  readonly status: OrderStatus;
  /** The trade whose money counts: the paid one with the smallest (time paid, trade). */
  readonly primary: TradeState | null;
  /** Paid and refunded by the primary trade. */
  readonly paidAmount: bigint;
  readonly refundedAmount: bigint;
  readonly paidAt: Date | null;
  /** Paid trades besides the primary: money to give back. */
  readonly surplus: readonly TradeState[];
  /** In the order of ATTENTION_FLAGS. */
  readonly attention: readonly AttentionFlag[];
}

/** An order that this transaction has locked, so that nothing of it changes meanwhile. */
export interface LockedOrder extends OrderTerms {
  readonly id: bigint;
  readonly version: number;
  readonly createdAt: Date;
  /** The latest time that PostgreSQL went back; null if it never did. */
  readonly rewind: Rewind | null;
}

/** PostgreSQL went back in time, and forgot versions and order events that it had given. */
export interface Rewind {
  /** When it was found. */
  readonly at: Date;
  /** Above every version that was given before. */
  readonly versionFloor: number;
}

/** An order as stored. */
export interface Order extends OrderTerms {
  readonly id: bigint;
  readonly status: OrderStatus;
  readonly paidAmount: bigint;
  readonly refundedAmount: bigint;
  readonly paidAt: Date | null;
  /** The trade whose money counts; both null when none does. */
  readonly primaryRail: Rail | null;
  readonly primaryTrade: string | null;
  readonly attention: readonly AttentionFlag[];
  /** Grows by one with each change. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
