import type { SignerId } from '../signers/request.js';

/**
 * The correct state of an order by its notifications. The oracle shares no line with payonce: one
 * mistake must not hide in both.
 */

/** The content of one genuine notification; its copies and re-sends have the same content. */
export interface NotificationContent {
  readonly provider: SignerId;
  readonly orderNumber: string;
  readonly trade: string;
  readonly meaning:
    | {
        readonly kind: 'payment';
        readonly amount: bigint;
        /** Milliseconds since the epoch; left out when a run does not record it. */
        readonly paidAt?: number;
      }
    | {
        readonly kind: 'refund';
        readonly refundId: string;
        readonly amount: bigint;
        /** All refunds of the trade up to this one. */
        readonly refundedTotal: bigint;
        /** True for v2 notices, which are not signed and move nothing. */
        readonly unsigned: boolean;
        /** The bank did not take it back: it moves nothing. */
        readonly failed?: boolean;
      }
    /** Nobody paid in time. */
    | { readonly kind: 'closed' };
}

/** The amount due; registered before, during or after its notifications. */
export interface OrderTerms {
  readonly merchant: string;
  readonly number: string;
  readonly amount: bigint;
  /** False when it is never registered: its notifications must be held as `unknown_order`. */
  readonly registered: boolean;
  /** By the merchant, while it was unpaid. */
  readonly closedByMerchant?: boolean;
}

export interface ExpectedOrder {
  readonly status: 'pending' | 'closed' | 'paid' | 'partially_refunded' | 'refunded';
  readonly paid: bigint;
  readonly refunded: bigint;
  readonly attention: readonly string[];
}

/** The correct outcome of a notification: applied, or held for one of these reasons. */
export type ExpectedOutcome = 'applied' | 'unknown_order' | 'unconfirmed' | 'amount_mismatch';

/** Pure. */
export function expectedOutcome(
  { meaning }: NotificationContent,
  order: OrderTerms | undefined,
): ExpectedOutcome {
  // Unsigned: it moves nothing, whether or not its order is known.
  if (meaning.kind === 'refund' && meaning.unsigned) return 'unconfirmed';
  if (!order?.registered) return 'unknown_order';
  return meaning.kind === 'payment' && meaning.amount !== order.amount
    ? 'amount_mismatch'
    : 'applied';
}

/** Pure. The notifications that move the order. */
export function applied<Notification extends NotificationContent>(
  order: OrderTerms,
  notifications: readonly Notification[],
): Notification[] {
  return notifications.filter((one) => expectedOutcome(one, order) === 'applied');
}

/**
 * Pure. All states that the notifications allow: one, or one per trade if several were paid. The
 * first one is of the trade that was paid first, if they state when.
 * @param notifications genuine, of this order, in any order, repeated or not
 */
export function expectedOrders(
  order: OrderTerms,
  notifications: readonly NotificationContent[],
): ExpectedOrder[] {
  const moving = applied(order, notifications);
  const trades = [...paidTrades(moving)].sort(byTimePaid).map(([, ofTrade]) => refundedOf(ofTrade));
  const attention = flagsOf(order, moving, trades);
  if (trades.length === 0) {
    const isClosed =
      order.closedByMerchant || moving.some(({ meaning }) => meaning.kind === 'closed');
    return [{ status: isClosed ? 'closed' : 'pending', paid: 0n, refunded: 0n, attention }];
  }
  return trades.map((refunded) => ({
    // A payment wins over a close.
    status: refunded === 0n ? 'paid' : refunded < order.amount ? 'partially_refunded' : 'refunded',
    // A refund implies that its trade was paid, even without a notification of the payment.
    paid: order.amount,
    refunded,
    attention,
  }));
}

function flagsOf(
  order: OrderTerms,
  moving: readonly NotificationContent[],
  refunded: readonly bigint[],
): string[] {
  const flags = {
    second_payment: refunded.length > 1,
    over_refund: refunded.some((one) => one > order.amount),
    refund_abnormal: moving.some(({ meaning }) => meaning.kind === 'refund' && meaning.failed),
    closed_though_paid: order.closedByMerchant && refunded.length > 0,
  };
  return Object.entries(flags).flatMap(([flag, raised]) => (raised ? [flag] : []));
}

/** Pure. Trades with which orders of more than one merchant were paid. */
export function contestedTrades(
  orders: readonly OrderTerms[],
  notifications: ReadonlyMap<string, readonly NotificationContent[]>,
): ReadonlySet<string> {
  const owners = new Map<string, string>();
  const contested = new Set<string>();
  for (const order of orders) {
    const moving = applied(order, notifications.get(order.number) ?? []);
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
  moving: readonly NotificationContent[],
): ReadonlyMap<string, readonly NotificationContent[]> {
  const trades = new Map<string, NotificationContent[]>();
  for (const notification of moving) {
    if (notification.meaning.kind === 'closed') continue;
    const trade = `${railOf(notification)} ${notification.trade}`;
    trades.set(trade, [...(trades.get(trade) ?? []), notification]);
  }
  return trades;
}

type Trade = readonly [name: string, notifications: readonly NotificationContent[]];

/** A trade whose time of payment is not known is the last one. */
function byTimePaid([a, ofA]: Trade, [b, ofB]: Trade): number {
  const [first, second] = [paidAtOf(ofA), paidAtOf(ofB)];
  if (first !== second) return first < second ? -1 : 1;
  return a < b ? -1 : 1;
}

function paidAtOf(ofOneTrade: readonly NotificationContent[]): number {
  return Math.min(
    ...ofOneTrade.map(({ meaning }) =>
      meaning.kind === 'payment' && meaning.paidAt !== undefined
        ? meaning.paidAt
        : Number.POSITIVE_INFINITY,
    ),
  );
}

/**
 * Alipay states running totals, so the greatest counts; WeChat single refunds, so each counts once.
 */
function refundedOf(ofOneTrade: readonly NotificationContent[]): bigint {
  let greatest = 0n;
  const singles = new Map<string, bigint>();
  for (const { provider, meaning } of ofOneTrade) {
    if (meaning.kind !== 'refund' || meaning.failed) continue;
    if (provider !== 'alipay') singles.set(meaning.refundId, meaning.amount);
    else if (meaning.refundedTotal > greatest) greatest = meaning.refundedTotal;
  }
  const sum = [...singles.values()].reduce((total, amount) => total + amount, 0n);
  return sum > greatest ? sum : greatest;
}

/** Both WeChat protocols have the same trades. */
function railOf({ provider }: NotificationContent): 'alipay' | 'wechat' {
  return provider === 'alipay' ? 'alipay' : 'wechat';
}
