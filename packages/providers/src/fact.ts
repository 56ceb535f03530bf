import type { Rail } from './rail.js';

/**
 * A permanent truth about an order. An order's facts only grow; its status is a pure function of
 * them (`derive.ts`), so duplicates and re-ordering have no influence. Amounts are minor units.
 * `at` is the provider's time, never the arrival time. It is null where the message does not state
 * it: a refund notice implies a payment without its time.
 */
export type Fact =
  | PaidFact
  | RefundFact
  | RefundTotalFact
  | FinishedFact
  | ClosedFact
  | OperatorFact
  | ContestedFact
  | ReleasedFact
  | ReinstatedFact;

/** Trade `trade` paid `amount`. */
export interface PaidFact {
  readonly kind: 'paid';
  readonly rail: Rail;
  readonly trade: string;
  readonly amount: bigint;
  readonly at: Date | null;
}

/** WeChat: one refund of `trade` and its status. SUCCESS alone moves money. */
export interface RefundFact {
  readonly kind: 'refund';
  readonly rail: 'wechat';
  readonly trade: string;
  readonly refundId: string;
  readonly status: 'SUCCESS' | 'CLOSED' | 'ABNORMAL';
  readonly amount: bigint;
  readonly at: Date | null;
}

/**
 * Alipay: `refund_fee` is the running total of all refunds of `trade`; never store a difference.
 */
export interface RefundTotalFact {
  readonly kind: 'refund_total';
  readonly rail: 'alipay';
  readonly trade: string;
  readonly amount: bigint;
  readonly at: Date | null;
}

/** TRADE_FINISHED: no refund of `trade` is possible any more. */
export interface FinishedFact {
  readonly kind: 'finished';
  readonly rail: Rail;
  readonly trade: string;
  readonly at: Date | null;
}

/** Closed unpaid: by the rail (time-out), or by the merchant's `closeOrder`. */
export interface ClosedFact {
  readonly kind: 'closed';
  readonly by: Rail | 'merchant';
  /** Null for the merchant's close, and for a rail's close that names no trade. */
  readonly trade: string | null;
  readonly at: Date | null;
}

/** An operator accepted a held payment: trade `trade` counts as paid with `amount`. */
export interface OperatorFact {
  readonly kind: 'operator';
  readonly auditId: string;
  readonly rail: Rail;
  readonly trade: string;
  readonly amount: bigint;
  readonly at: Date | null;
}

/** An order of another merchant has trade `trade`, too. Does not name that merchant. */
export interface ContestedFact {
  readonly kind: 'contested';
  readonly rail: Rail;
  readonly trade: string;
  readonly at: null;
}

/** An operator found that `trade` does not pay this order: facts about it do not count. */
export interface ReleasedFact {
  readonly kind: 'released';
  readonly auditId: string;
  readonly rail: Rail;
  readonly trade: string;
  readonly at: Date | null;
}

/** An operator revoked the release with audit row `releaseAuditId`. */
export interface ReinstatedFact {
  readonly kind: 'reinstated';
  readonly auditId: string;
  readonly releaseAuditId: string;
  readonly rail: Rail;
  readonly trade: string;
  readonly at: Date | null;
}

/**
 * The key that makes a fact unique within its order. Two notifications that state the same
 * (TRADE_SUCCESS then TRADE_FINISHED, API v2 and v3) give the same key.
 */
export function factKey(fact: Fact): string {
  switch (fact.kind) {
    case 'paid':
      return `paid:${fact.rail}:${fact.trade}`;
    case 'refund':
      return `refund:${fact.rail}:${fact.refundId}:${fact.status}`;
    case 'refund_total':
      return `refund_total:${fact.rail}:${fact.trade}:${fact.amount}`;
    case 'finished':
      return `finished:${fact.rail}:${fact.trade}`;
    case 'closed':
      return fact.by === 'merchant' ? 'closed:merchant' : `closed:${fact.by}:${fact.trade ?? '-'}`;
    case 'operator':
      return `operator:${fact.auditId}`;
    case 'contested':
      return `contested:${fact.rail}:${fact.trade}`;
    case 'released':
      return `released:${fact.rail}:${fact.trade}:${fact.auditId}`;
    case 'reinstated':
      // Keyed by the release: it can be revoked once.
      return `reinstated:${fact.rail}:${fact.trade}:${fact.releaseAuditId}`;
  }
}

/** The paid amount that facts of one event assert; null when they assert no payment. */
export function paidAmountOf(facts: readonly Fact[]): bigint | null {
  return facts.find((fact) => fact.kind === 'paid')?.amount ?? null;
}
