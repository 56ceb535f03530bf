import type { TradeName } from './released.js';

/** A claim of an order on a trade. */
export interface TradeClaim extends TradeName {
  readonly merchant: string;
  readonly orderId: bigint;
}

export function tradeKey({ rail, trade }: TradeName): string {
  return `${rail}:${trade}`;
}

/** One text per trade of a merchant. All transactions make claims in the order of this text. */
export function claimKey(claim: TradeName & { readonly merchant: string }): string {
  return `${tradeKey(claim)}\0${claim.merchant}`;
}
