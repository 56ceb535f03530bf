import type { ToldNotification, ToldOrder } from '../history/history.js';

/**
 * The correct state of an order by its notifications. A few separate lines of the checker, on
 * purpose without a look at payonce's code: one mistake must not hide in both.
 */
export interface OrderTruth {
  readonly paid: bigint;
  readonly refunded: bigint;
  /** A provider reported that nobody paid in time. */
  readonly closed: boolean;
}

/** The correct place of a notification: applied to its order, or held for one of these reasons. */
export type Place = 'applied' | 'unknown_order' | 'unconfirmed' | 'amount_mismatch';

/** Pure. */
export function placeOf(told: ToldNotification, order: ToldOrder | undefined): Place {
  const { says } = told;
  // Unsigned: it moves nothing, whether or not its order is known.
  if (says.kind === 'refund' && says.unsigned) return 'unconfirmed';
  if (!order?.registered) return 'unknown_order';
  return says.kind === 'payment' && says.amount !== order.amount ? 'amount_mismatch' : 'applied';
}

/**
 * Pure. All states that the notifications allow: one, or one per trade if several were paid, since
 * the notifications do not state which was first.
 * @param heard genuine notifications of this order, in any order, repeated or not
 */
export function truthOf(order: ToldOrder, heard: readonly ToldNotification[]): OrderTruth[] {
  const moving = heard.filter((told) => placeOf(told, order) === 'applied');
  const closed = moving.some(({ says }) => says.kind === 'closed');
  const trades = [...paidTrades(moving).values()];
  if (trades.length === 0) return [{ paid: 0n, refunded: 0n, closed }];
  return trades.map((told) => ({
    // A refund implies that its trade was paid, even without a notification of the payment.
    paid: order.amount,
    refunded: refundedOf(told),
    closed,
  }));
}

/** Pure. Trades with which orders of more than one merchant were paid. */
export function contestedTrades(
  orders: readonly ToldOrder[],
  heard: ReadonlyMap<string, readonly ToldNotification[]>,
): ReadonlySet<string> {
  const owners = new Map<string, string>();
  const contested = new Set<string>();
  for (const order of orders) {
    const told = heard.get(order.number) ?? [];
    const moving = told.filter((one) => placeOf(one, order) === 'applied');
    for (const trade of paidTrades(moving).keys()) {
      const owner = owners.get(trade) ?? order.merchant;
      if (owner !== order.merchant) contested.add(trade);
      owners.set(trade, owner);
    }
  }
  return contested;
}

/** The notifications of each paid trade, by rail and number. */
export function paidTrades(
  moving: readonly ToldNotification[],
): ReadonlyMap<string, readonly ToldNotification[]> {
  const trades = new Map<string, ToldNotification[]>();
  for (const told of moving) {
    if (told.says.kind === 'closed') continue;
    const trade = `${railOf(told)} ${told.trade}`;
    trades.set(trade, [...(trades.get(trade) ?? []), told]);
  }
  return trades;
}

/**
 * Alipay states running totals, so the greatest counts; WeChat single refunds, so each counts once.
 */
function refundedOf(ofOneTrade: readonly ToldNotification[]): bigint {
  let greatest = 0n;
  const singles = new Map<string, bigint>();
  for (const { provider, says } of ofOneTrade) {
    if (says.kind !== 'refund') continue;
    if (provider !== 'alipay') singles.set(says.refundId, says.amount);
    else if (says.refundedTotal > greatest) greatest = says.refundedTotal;
  }
  const sum = [...singles.values()].reduce((total, amount) => total + amount, 0n);
  return sum > greatest ? sum : greatest;
}

/** Both WeChat protocols have the same trades. */
function railOf({ provider }: ToldNotification): 'alipay' | 'wechat' {
  return provider === 'alipay' ? 'alipay' : 'wechat';
}

/** The status for these amounts. A payment wins over a close. */
export function statusOf({ paid, refunded, closed }: OrderTruth): string {
  if (paid === 0n) return closed ? 'closed' : 'pending';
  if (refunded === 0n) return 'paid';
  return refunded < paid ? 'partially_refunded' : 'refunded';
}
