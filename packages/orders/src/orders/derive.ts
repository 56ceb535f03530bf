import type { ClosedFact, Fact } from '@payonce/providers/fact';
import { mergeFacts } from './merge.js';
import type { AttentionFlag, OrderState, OrderStatus, TradeState } from './order.js';
import { withoutReleased } from './released.js';
import { deriveTrades } from './trades.js';

/**
 * The whole state machine: an order's state as a pure function of its facts. The order and the
 * repetition of the facts have no influence.
 * - A paid fact always wins over closed ones.
 * - The primary trade is the paid one with the smallest (time paid, trade); unknown times come
 *   last. Only its refunds move the status; surplus trades carry separate amounts.
 * - Facts about a released trade do not count until the release is revoked.
 */
export function deriveOrder(facts: readonly Fact[]): OrderState {
  const merged = withoutReleased(mergeFacts(facts));
  const trades = deriveTrades(merged);
  const [primary = null, ...surplus] = trades.filter(isPaid).sort(byTimePaid);
  const closes = merged.filter((fact) => fact.kind === 'closed');
  return {
    status: statusOf(primary, closes),
    primary,
    paidAmount: primary?.paidAmount ?? 0n,
    refundedAmount: primary?.refundedAmount ?? 0n,
    paidAt: primary?.paidAt ?? null,
    surplus,
    attention: [
      ...flag('second_payment', surplus.length > 0),
      ...flag('over_refund', trades.some(isRefundedTooMuch)),
      ...flag('refund_abnormal', hasAbnormalRefund(merged)),
      ...closedFlags(primary, closes),
      ...flag(
        'contested_trade',
        merged.some(({ kind }) => kind === 'contested'),
      ),
    ],
  };
}

function statusOf(primary: TradeState | null, closes: readonly ClosedFact[]): OrderStatus {
  if (primary === null) return closes.length > 0 ? 'closed' : 'pending';
  if (primary.refundedAmount === 0n) return 'paid';
  return primary.refundedAmount < (primary.paidAmount ?? 0n) ? 'partially_refunded' : 'refunded';
}

function isPaid(trade: TradeState): boolean {
  return trade.paidAmount !== null;
}

function byTimePaid(a: TradeState, b: TradeState): number {
  const left = a.paidAt?.getTime() ?? Number.POSITIVE_INFINITY;
  const right = b.paidAt?.getTime() ?? Number.POSITIVE_INFINITY;
  if (left !== right) return left < right ? -1 : 1;
  if (a.trade !== b.trade) return a.trade < b.trade ? -1 : 1;
  return a.rail < b.rail ? -1 : 1;
}

function isRefundedTooMuch(trade: TradeState): boolean {
  return trade.refundedAmount > (trade.paidAmount ?? 0n);
}

/**
 * SUCCESS outranks the others, and a CLOSED refund is over. An ABNORMAL refund counts only without
 * either.
 */
function hasAbnormalRefund(facts: readonly Fact[]): boolean {
  const refunds = facts.filter((fact) => fact.kind === 'refund');
  const over = new Set(
    refunds.flatMap((fact) => (fact.status === 'ABNORMAL' ? [] : [fact.refundId])),
  );
  return refunds.some((fact) => fact.status === 'ABNORMAL' && !over.has(fact.refundId));
}

/**
 * Only closes that concern the paid trade count: the merchant's, the trade's, and its rail's close
 * that names no trade. An unpaid trade of another rail expires half an hour later on any normal
 * day.
 */
function closedFlags(
  primary: TradeState | null,
  closes: readonly ClosedFact[],
): readonly AttentionFlag[] {
  if (primary === null) return [];
  const concerning = closes.filter(
    ({ by, trade }) =>
      by === 'merchant' || (by === primary.rail && (trade === null || trade === primary.trade)),
  );
  if (concerning.length === 0) return [];
  const paidAt = primary.paidAt?.getTime();
  const late = concerning.some(
    ({ at }) => at !== null && paidAt !== undefined && paidAt > at.getTime(),
  );
  return [late ? 'paid_late' : 'closed_though_paid'];
}

function flag(name: AttentionFlag, raised: boolean): readonly AttentionFlag[] {
  return raised ? [name] : [];
}
