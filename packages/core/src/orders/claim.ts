import type { TradeName } from './released.js';

/** An order that says that a trade is its own. */
export interface TradeClaim extends TradeName {
  readonly merchant: string;
  readonly orderId: bigint;
}

export function tradeKey({ rail, trade }: TradeName): string {
  return `${rail}:${trade}`;
}

/** One text per trade of a merchant; also the order in which claims are made. */
export function claimKey(claim: TradeName & { readonly merchant: string }): string {
  return `${tradeKey(claim)}\0${claim.merchant}`;
}
