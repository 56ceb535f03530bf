import {
  applied,
  expectedOrders,
  expectedOutcome,
  type NotificationContent,
  type OrderTerms,
  paidTrades,
} from './oracle.js';

/** The identity of an order event within one order. */
export interface EventName {
  readonly type: string;
  readonly milestone: string;
}

/** The content of an event that arrived. */
export interface EventContent extends EventName {
  readonly paid: bigint | null;
  readonly refunded: bigint | null;
}

/** The events that the merchant must have received for an order. */
export interface ExpectedEvents {
  /** Each exactly once. */
  readonly events: readonly EventName[];
  /**
   * The number of different refunded totals, including the last one: the totals in between depend
   * on the order of arrival.
   */
  readonly refundTotals: number;
}

/** The event when another merchant's order was paid with the same trade. */
const CONTESTED = 'contested_trade';

/**
 * Pure.
 * @param counted genuine notifications of this order, in any order, repeated or not
 * @param contested trades with which another merchant's order was paid, too
 */
export function expectedEvents(
  order: OrderTerms,
  counted: readonly NotificationContent[],
  contested: ReadonlySet<string>,
): ExpectedEvents {
  const moving = applied(order, counted);
  const paidWith = paidTrades(moving);
  const trades = [...paidWith.values()];
  const [state] = expectedOrders(order, counted);
  // Once per order, however many of its trades are contested, and however often.
  const flags = isContested(paidWith, contested) ? [named('order.attention', CONTESTED)] : [];
  if (trades.length === 0) {
    return {
      events: state?.status === 'closed' ? [named('order.closed', 'closed')] : [],
      refundTotals: 0,
    };
  }
  const paid = named('order.paid', 'paid');
  if (trades.length > 1) {
    const twice = named('order.attention', 'second_payment');
    return { events: [paid, twice, ...flags], refundTotals: 0 };
  }
  const refunded = state?.refunded ?? 0n;
  if (refunded === 0n) return { events: [paid, ...flags], refundTotals: 0 };
  const events = [paid, refundTo(order, refunded), ...flags];
  return { events, refundTotals: totalsOf(trades.flat()) };
}

/**
 * WeChat's single refunds each make a new total; of Alipay's totals only the last cannot be
 * overtaken.
 */
function totalsOf(moving: readonly NotificationContent[]): number {
  const singles = moving.flatMap(({ provider, meaning }) =>
    meaning.kind === 'refund' && provider !== 'alipay' ? [meaning.refundId] : [],
  );
  return Math.max(1, new Set(singles).size);
}

/** Whether the event is true by the providers' notifications. Pure. */
export function isJustified(
  event: EventContent,
  order: OrderTerms,
  counted: readonly NotificationContent[],
  contested: ReadonlySet<string>,
): boolean {
  const { type, milestone } = event;
  if (type.startsWith('notification.')) return isHeld(milestone, order, counted);
  const moving = applied(order, counted);
  const trades = paidTrades(moving);
  switch (type) {
    case 'order.paid':
      return milestone === 'paid' && trades.size > 0 && event.paid === order.amount;
    case 'order.partially_refunded':
    case 'order.refunded': {
      const most = expectedOrders(order, counted).map(({ refunded }) => refunded);
      const total = event.refunded ?? 0n;
      const { type: right, milestone: text } = refundTo(order, total);
      return total > 0n && most.some((one) => total <= one) && type === right && milestone === text;
    }
    case 'order.closed':
      return milestone === 'closed' && moving.some(({ meaning }) => meaning.kind === 'closed');
    case 'order.attention':
      if (milestone === CONTESTED) return isContested(trades, contested);
      return milestone === 'second_payment' && trades.size > 1;
    default:
      return false;
  }
}

/** Any order may be registered late; the other reasons are in the notifications themselves. */
function isHeld(
  reason: string,
  order: OrderTerms,
  counted: readonly NotificationContent[],
): boolean {
  if (reason === 'unknown_order') return counted.length > 0;
  return counted.some((notification) => expectedOutcome(notification, order) === reason);
}

function isContested(
  trades: ReadonlyMap<string, unknown>,
  contested: ReadonlySet<string>,
): boolean {
  return [...trades.keys()].some((trade) => contested.has(trade));
}

function refundTo({ amount }: OrderTerms, total: bigint): EventName {
  const type = total === amount ? 'order.refunded' : 'order.partially_refunded';
  return named(type, total.toString());
}

function named(type: string, milestone: string): EventName {
  return { type, milestone };
}
