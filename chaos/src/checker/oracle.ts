import type { WorkloadNotification, WorkloadOrder } from '../history/history.js';

/**
 * The correct state of an order by its notifications. The oracle shares no line with payonce: one
 * mistake must not hide in both.
 */
export interface ExpectedState {
  readonly paid: bigint;
  readonly refunded: bigint;
  /** A provider reported that nobody paid in time. */
  readonly closed: boolean;
}

/** The correct outcome of a notification: applied, or held for one of these reasons. */
export type ExpectedOutcome = 'applied' | 'unknown_order' | 'unconfirmed' | 'amount_mismatch';

/** Pure. */
export function expectedOutcome(
  notification: WorkloadNotification,
  order: WorkloadOrder | undefined,
): ExpectedOutcome {
  const { meaning } = notification;
  // Unsigned: it moves nothing, whether or not its order is known.
  if (meaning.kind === 'refund' && meaning.unsigned) return 'unconfirmed';
  if (!order?.registered) return 'unknown_order';
  return meaning.kind === 'payment' && meaning.amount !== order.amount
    ? 'amount_mismatch'
    : 'applied';
}

/**
 * Pure. All states that the notifications allow: one, or one per trade if several were paid, since
 * the notifications do not state which was first.
 * @param counted genuine notifications of this order, in any order, repeated or not
 */
export function expectedStates(
  order: WorkloadOrder,
  counted: readonly WorkloadNotification[],
): ExpectedState[] {
  const moving = counted.filter(
    (notification) => expectedOutcome(notification, order) === 'applied',
  );
  const closed = moving.some(({ meaning }) => meaning.kind === 'closed');
  const trades = [...paidTrades(moving).values()];
  if (trades.length === 0) return [{ paid: 0n, refunded: 0n, closed }];
  return trades.map((ofTrade) => ({
    // A refund implies that its trade was paid, even without a notification of the payment.
    paid: order.amount,
    refunded: refundedOf(ofTrade),
    closed,
  }));
}

/** Pure. Trades with which orders of more than one merchant were paid. */
export function contestedTrades(
  orders: readonly WorkloadOrder[],
  counted: ReadonlyMap<string, readonly WorkloadNotification[]>,
): ReadonlySet<string> {
  const owners = new Map<string, string>();
  const contested = new Set<string>();
  for (const order of orders) {
    const ofOrder = counted.get(order.number) ?? [];
    const moving = ofOrder.filter((one) => expectedOutcome(one, order) === 'applied');
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
  moving: readonly WorkloadNotification[],
): ReadonlyMap<string, readonly WorkloadNotification[]> {
  const trades = new Map<string, WorkloadNotification[]>();
  for (const notification of moving) {
    if (notification.meaning.kind === 'closed') continue;
    const trade = `${railOf(notification)} ${notification.trade}`;
    trades.set(trade, [...(trades.get(trade) ?? []), notification]);
  }
  return trades;
}

/**
 * Alipay states running totals, so the greatest counts; WeChat single refunds, so each counts once.
 */
function refundedOf(ofOneTrade: readonly WorkloadNotification[]): bigint {
  let greatest = 0n;
  const singles = new Map<string, bigint>();
  for (const { provider, meaning } of ofOneTrade) {
    if (meaning.kind !== 'refund') continue;
    if (provider !== 'alipay') singles.set(meaning.refundId, meaning.amount);
    else if (meaning.refundedTotal > greatest) greatest = meaning.refundedTotal;
  }
  const sum = [...singles.values()].reduce((total, amount) => total + amount, 0n);
  return sum > greatest ? sum : greatest;
}

/** Both WeChat protocols have the same trades. */
function railOf({ provider }: WorkloadNotification): 'alipay' | 'wechat' {
  return provider === 'alipay' ? 'alipay' : 'wechat';
}

/** The status for these amounts. A payment wins over a close. */
export function expectedStatus({ paid, refunded, closed }: ExpectedState): string {
  if (paid === 0n) return closed ? 'closed' : 'pending';
  if (refunded === 0n) return 'paid';
  return refunded < paid ? 'partially_refunded' : 'refunded';
}
