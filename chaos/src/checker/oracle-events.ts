import type { ArrivedEvent, ToldNotification, ToldOrder } from '../history/history.js';
import { paidTrades, placeOf, truthOf } from './oracle.js';

/** The identity of an order event within one order. */
export interface EventName {
  readonly type: string;
  readonly milestone: string;
}

/** The events that the merchant must have received for an order. */
export interface MustHear {
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
 * @param heard genuine notifications of this order, in any order, repeated or not
 * @param contested trades with which another merchant's order was paid, too
 */
export function mustHear(
  order: ToldOrder,
  heard: readonly ToldNotification[],
  contested: ReadonlySet<string>,
): MustHear {
  const moving = heard.filter((told) => placeOf(told, order) === 'applied');
  const paidWith = paidTrades(moving);
  const trades = [...paidWith.values()];
  const [truth] = truthOf(order, heard);
  // Once per order, however many of its trades are contested, and however often.
  const flags = isContested(paidWith, contested) ? [named('order.attention', CONTESTED)] : [];
  if (trades.length === 0) {
    return { events: truth?.closed ? [named('order.closed', 'closed')] : [], refundTotals: 0 };
  }
  const paid = named('order.paid', 'paid');
  if (trades.length > 1) {
    const twice = named('order.attention', 'second_payment');
    return { events: [paid, twice, ...flags], refundTotals: 0 };
  }
  const refunded = truth?.refunded ?? 0n;
  if (refunded === 0n) return { events: [paid, ...flags], refundTotals: 0 };
  const events = [paid, refundTo(order, refunded), ...flags];
  return { events, refundTotals: totalsOf(trades.flat()) };
}

/**
 * WeChat's single refunds each make a new total; of Alipay's totals only the last cannot be
 * overtaken.
 */
function totalsOf(moving: readonly ToldNotification[]): number {
  const singles = moving.flatMap(({ provider, says }) =>
    says.kind === 'refund' && provider !== 'alipay' ? [says.refundId] : [],
  );
  return Math.max(1, new Set(singles).size);
}

/** Whether the event is true by the providers' notifications. Pure. */
export function isSo(
  event: ArrivedEvent,
  order: ToldOrder,
  heard: readonly ToldNotification[],
  contested: ReadonlySet<string>,
): boolean {
  const { type, milestone } = event;
  if (type.startsWith('notification.')) return isHeld(milestone, order, heard);
  const moving = heard.filter((told) => placeOf(told, order) === 'applied');
  const trades = paidTrades(moving);
  switch (type) {
    case 'order.paid':
      return milestone === 'paid' && trades.size > 0 && event.paid === order.amount;
    case 'order.partially_refunded':
    case 'order.refunded': {
      const most = truthOf(order, heard).map(({ refunded }) => refunded);
      const total = event.refunded ?? 0n;
      const { type: right, milestone: text } = refundTo(order, total);
      return total > 0n && most.some((one) => total <= one) && type === right && milestone === text;
    }
    case 'order.closed':
      return milestone === 'closed' && moving.some(({ says }) => says.kind === 'closed');
    case 'order.attention':
      if (milestone === CONTESTED) return isContested(trades, contested);
      return milestone === 'second_payment' && trades.size > 1;
    default:
      return false;
  }
}

/** Any order may be registered late; the other reasons are in the notifications themselves. */
function isHeld(reason: string, order: ToldOrder, heard: readonly ToldNotification[]): boolean {
  if (reason === 'unknown_order') return heard.length > 0;
  return heard.some((told) => placeOf(told, order) === reason);
}

function isContested(
  trades: ReadonlyMap<string, unknown>,
  contested: ReadonlySet<string>,
): boolean {
  return [...trades.keys()].some((trade) => contested.has(trade));
}

function refundTo({ amount }: ToldOrder, total: bigint): EventName {
  const type = total === amount ? 'order.refunded' : 'order.partially_refunded';
  return named(type, total.toString());
}

function named(type: string, milestone: string): EventName {
  return { type, milestone };
}
