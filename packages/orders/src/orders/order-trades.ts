import type { Fact } from '@payonce/providers/fact';
import { mergeFacts } from './merge.js';
import type { TradeState } from './order.js';
import { releaseOf } from './released.js';
import { deriveTrades } from './trades.js';

/** A trade of an order, whether or not it counts. */
export interface OrderTrade extends TradeState {
  /** An operator released it: it does not count. */
  readonly isReleased: boolean;
  /** An order of another merchant has it, too. */
  readonly isContested: boolean;
}

/** Every trade that the facts name, including released ones. Pure. */
export function tradesOf(facts: readonly Fact[]): OrderTrade[] {
  return deriveTrades(mergeFacts(facts)).map((one) => ({
    ...one,
    isReleased: releaseOf(facts, one) !== null,
    isContested: facts.some(
      (fact) => fact.kind === 'contested' && fact.rail === one.rail && fact.trade === one.trade,
    ),
  }));
}
