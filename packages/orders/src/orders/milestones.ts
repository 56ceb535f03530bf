import type { OrderState, TradeState } from './order.js';
import type { TradeName } from './released.js';

/** A change of an order that merchants' systems receive; at most once per type and milestone. */
export interface Milestone {
  readonly type: OrderEventType;
  /** `paid`, `closed`, the refunded total in minor units, the attention flag, or `withdrawn`. */
  readonly milestone: string;
  /** From 1: after a release an order can reach its milestones again. */
  readonly round: number;
  /** Of `withdrawn`: the trade that no longer counts. */
  readonly withdrawn?: TradeName;
}

export type OrderEventType =
  | 'order.paid'
  | 'order.partially_refunded'
  | 'order.refunded'
  | 'order.closed'
  | 'order.attention'
  | 'order.payment_withdrawn';

/**
 * Every milestone reached between two states: an order first seen as refunded was paid, too.
 * @param round of the facts afterwards, from `roundOf`
 */
export function milestonesBetween(
  before: OrderState,
  after: OrderState,
  round: number,
): Milestone[] {
  const milestones: Milestone[] = [];
  // Only a release withdraws a payment.
  const [withdrawn] = paidTrades(before).filter((one) => !isAmong(paidTrades(after), one));
  if (withdrawn !== undefined) {
    const { rail, trade } = withdrawn;
    milestones.push({
      type: 'order.payment_withdrawn',
      milestone: 'withdrawn',
      // It belongs to the round that it ends.
      round: round - 1,
      withdrawn: { rail, trade },
    });
  }
  const isLost = withdrawn !== undefined && withdrawn === before.primary;
  if ((before.primary === null || isLost) && after.primary !== null) {
    milestones.push({ type: 'order.paid', milestone: 'paid', round });
  }
  const refundedBefore = isLost ? 0n : before.refundedAmount;
  if (after.refundedAmount > 0n && after.refundedAmount !== refundedBefore) {
    const type = after.status === 'refunded' ? 'order.refunded' : 'order.partially_refunded';
    milestones.push({ type, milestone: after.refundedAmount.toString(), round });
  }
  if (before.status !== 'closed' && after.status === 'closed') {
    milestones.push({ type: 'order.closed', milestone: 'closed', round });
  }
  for (const flag of after.attention) {
    if (!before.attention.includes(flag)) {
      milestones.push({ type: 'order.attention', milestone: flag, round });
    }
  }
  return milestones;
}

/** The primary one first. */
function paidTrades({ primary, surplus }: OrderState): readonly TradeState[] {
  return primary === null ? [] : [primary, ...surplus];
}

function isAmong(trades: readonly TradeState[], { rail, trade }: TradeName): boolean {
  return trades.some((one) => one.rail === rail && one.trade === trade);
}

/** One text per order and type: the outbox has each once. */
export function milestoneKey({ milestone, round }: Milestone): string {
  return round === 1 ? milestone : `${milestone}:${round}`;
}
