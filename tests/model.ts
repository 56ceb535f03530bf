/**
 * A model of orders, against which the whole pipeline is tested: the messages, and their
 * consequences.
 */

/** The content of one notification. Copies have the same content, so each is here once. */
export interface Said {
  readonly number: string;
  readonly kind: 'payment' | 'refund' | 'close';
  readonly rail: 'alipay' | 'wechat';
  readonly trade: string;
  /** The order's amount by the provider. */
  readonly cost: bigint;
  /** Null where the provider does not state the time of payment. */
  readonly paidAt: number | null;
  readonly refund: {
    readonly amount: bigint;
    readonly total: bigint;
    readonly failed: boolean;
  } | null;
  readonly signed: boolean;
}

export interface ModelOrder {
  readonly due: bigint;
  registered: boolean;
  /** Closed by the merchant, while it was unpaid. */
  closed: boolean;
}

/** The twenty lines: the correct state of an order once all messages have arrived, in any order. */
export function mustBe(order: ModelOrder, all: readonly Said[]) {
  const place = (said: Said): string => {
    if (!said.signed) return 'unconfirmed';
    if (!order.registered) return 'unknown_order';
    return said.cost === order.due ? 'settled' : 'amount_mismatch';
  };
  const settled = all.filter((said) => place(said) === 'settled');
  const moving = settled.filter(({ kind }) => kind !== 'close');
  const trades = [...new Set(moving.map(({ trade }) => trade))].map((trade) => {
    const said = moving.filter((one) => one.trade === trade);
    const moved = said.flatMap(({ refund }) => (refund && !refund.failed ? [refund] : []));
    const byTotal = said[0]?.rail === 'alipay';
    const refunded = byTotal
      ? greatest(moved.map(({ total }) => total))
      : sum(moved.map(({ amount }) => amount));
    const paidAt = Math.min(...said.map((one) => one.paidAt ?? Number.POSITIVE_INFINITY));
    return { trade, paidAt, refunded };
  });
  const [first] = trades.sort(byTimePaid);
  const refunded = first?.refunded ?? 0n;
  const unpaid = order.closed || settled.length > 0 ? 'closed' : 'pending';
  const paid = refunded === 0n ? 'paid' : refunded < order.due ? 'partially_refunded' : 'refunded';
  const flags = {
    second_payment: trades.length > 1,
    over_refund: trades.some((trade) => trade.refunded > order.due),
    refund_abnormal: settled.some(({ refund }) => refund?.failed),
    closed_though_paid: order.closed && first !== undefined,
  };
  return {
    outcomes: all.map(place).sort(),
    order: order.registered && {
      status: first ? paid : unpaid,
      paidAmount: first ? order.due : 0n,
      refundedAmount: refunded,
      attention: Object.entries(flags).flatMap(([flag, raised]) => (raised ? [flag] : [])),
      paidEvents: first ? 1 : 0,
    },
  };
}

interface Paid {
  readonly trade: string;
  readonly paidAt: number;
}

function byTimePaid(a: Paid, b: Paid): number {
  if (a.paidAt !== b.paidAt) return a.paidAt < b.paidAt ? -1 : 1;
  return a.trade < b.trade ? -1 : 1;
}

const sum = (amounts: readonly bigint[]) => amounts.reduce((total, one) => total + one, 0n);
const greatest = (amounts: readonly bigint[]) => amounts.reduce(greater, 0n);
const greater = (a: bigint, b: bigint) => (a < b ? b : a);
