import type { Fact } from '@payonce/providers/fact';
import type { LockedOrder } from './order.js';
import { releaseOf, type TradeName } from './released.js';

/** A claim of an order on a trade. */
export interface TradeClaim extends TradeName {
  readonly merchant: string;
  readonly orderId: bigint;
}

export function tradeKey({
  rail,
  trade,
}: {
  readonly rail: string;
  readonly trade: string;
}): string {
  return `${rail}:${trade}`;
}

/** One text per trade of a merchant. All transactions make claims in the order of this text. */
export function claimKey(claim: TradeName & { readonly merchant: string }): string {
  return `${tradeKey(claim)}\0${claim.merchant}`;
}

/** The trades in these facts, claimed for their order. */
export function claimsOf(
  facts: readonly Fact[],
  { id: orderId, merchant }: Pick<LockedOrder, 'id' | 'merchant'>,
): TradeClaim[] {
  return facts.flatMap((fact) => {
    const rail = fact.kind === 'closed' ? fact.by : fact.rail;
    if (rail === 'merchant' || fact.trade === null) return [];
    return [{ rail, trade: fact.trade, merchant, orderId }];
  });
}

/**
 * A trade pays the first order of its merchant that claimed it, and no other. An order that
 * released it still takes facts about it, without effect.
 */
export function ownsAll(
  claims: readonly TradeClaim[],
  owners: ReadonlyMap<string, bigint>,
  facts: ReadonlyMap<bigint, readonly Fact[]>,
): boolean {
  return claims.every(
    (claim) =>
      owners.get(claimKey(claim)) === claim.orderId ||
      releaseOf(facts.get(claim.orderId) ?? [], claim) !== null,
  );
}

/** The facts for an order that shares a claimed trade with another merchant's order. */
export function contestedFacts(
  claims: readonly TradeClaim[],
  contested: ReadonlySet<string>,
): Fact[] {
  if (contested.size === 0) return [];
  return claims
    .filter((claim) => contested.has(claimKey(claim)))
    .map(({ rail, trade }) => ({ kind: 'contested', rail, trade, at: null }));
}
