import type { Fact } from '@payonce/providers/fact';
import type { TradeState } from './order.js';
import { tradeKey } from './trade-claim.js';

interface Sums {
  readonly rail: TradeState['rail'];
  readonly trade: string;
  paidAmount: bigint | null;
  paidAt: Date | null;
  /** Alipay states running totals, WeChat single refunds. */
  refundTotal: bigint;
  refundSum: bigint;
  finished: boolean;
}

/** The state of each trade in the merged facts. */
export function deriveTrades(merged: readonly Fact[]): TradeState[] {
  const trades = new Map<string, Sums>();
  for (const fact of merged) add(fact, trades);
  return [...trades.values()].map(({ refundTotal, refundSum, ...trade }) => ({
    ...trade,
    // The greater of both: each is too small when notices are lost.
    refundedAmount: greatest(refundTotal, refundSum),
  }));
}

function add(fact: Fact, trades: Map<string, Sums>): void {
  switch (fact.kind) {
    case 'paid':
    case 'operator': {
      const sums = sumsOf(fact, trades);
      sums.paidAmount = greatest(sums.paidAmount, fact.amount);
      sums.paidAt = earliest(sums.paidAt, fact.at);
      return;
    }
    case 'refund':
      // SUCCESS alone moves money; the others only make the trade known.
      sumsOf(fact, trades).refundSum += fact.status === 'SUCCESS' ? fact.amount : 0n;
      return;
    case 'refund_total': {
      const sums = sumsOf(fact, trades);
      sums.refundTotal = greatest(sums.refundTotal, fact.amount);
      return;
    }
    case 'finished':
      sumsOf(fact, trades).finished = true;
      return;
    case 'closed':
    case 'contested':
    case 'released':
    case 'reinstated':
      return;
  }
}

function sumsOf(
  { rail, trade }: { readonly rail: Sums['rail']; readonly trade: string },
  trades: Map<string, Sums>,
): Sums {
  const key = tradeKey({ rail, trade });
  const known = trades.get(key);
  if (known) return known;
  const sums: Sums = {
    rail,
    trade,
    paidAmount: null,
    paidAt: null,
    refundTotal: 0n,
    refundSum: 0n,
    finished: false,
  };
  trades.set(key, sums);
  return sums;
}

function greatest(a: bigint | null, b: bigint): bigint {
  return a !== null && a > b ? a : b;
}

/** The earliest known time. */
function earliest(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a <= b ? a : b;
}
