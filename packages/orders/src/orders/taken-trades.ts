/** Claims on trades that another order claimed first. The first claim does not reach this file. */

import type { Fact } from '@payonce/providers/fact';
import type { Tx } from '../database/transaction.js';
import { releaseOf } from './released.js';
import { claimKey, type TradeClaim } from './trade-claim.js';
import { claimOwnerless, claimsTable, readClaimOwners } from './trade-rows.js';

export interface TradeOwners {
  /** By `claimKey`: the order of the merchant that has the trade. */
  readonly owners: ReadonlyMap<string, bigint>;
  /** By `claimKey`: claimed now although an order of another merchant has the trade. */
  readonly contested: ReadonlySet<string>;
}

/** Who has the trade of a claim. */
interface TakenTrade {
  /** The index of the claim. */
  readonly position: number;
  readonly firstOrder: string;
  readonly firstMerchant: string;
  /** Whether `trade_claims` has the trade. If so, a null owner means that no order has it. */
  readonly hasOwnerRow: boolean;
  readonly owner: string | null;
}

/**
 * Finds the owners of these trades within their merchants, where `trades` names another order or
 * this one from before. A trade that no order of the merchant has is claimed in `trade_claims`. An
 * order that released a trade never gets it back this way.
 * @param claims sorted by `claimKey`: the order in which all transactions make claims
 * @param facts of their orders, read under the orders' locks
 */
export async function resolveTakenTrades(
  tx: Tx,
  now: Date,
  claims: readonly TradeClaim[],
  facts: ReadonlyMap<bigint, readonly Fact[]>,
): Promise<TradeOwners> {
  const owners = new Map<string, bigint>();
  const ownerless = new Map<string, { claim: TradeClaim; isContested: boolean }>();
  for (const taken of await readTaken(tx, claims)) {
    const claim = claims[taken.position];
    if (claim === undefined) continue;
    const key = claimKey(claim);
    const isOwn = taken.firstMerchant === claim.merchant;
    if (taken.owner !== null) owners.set(key, BigInt(taken.owner));
    else if (isOwn && !taken.hasOwnerRow) owners.set(key, BigInt(taken.firstOrder));
    else if (!ownerless.has(key) && releaseOf(facts.get(claim.orderId) ?? [], claim) === null) {
      ownerless.set(key, { claim, isContested: !isOwn });
    }
  }
  const wanted = [...ownerless.values()].map(({ claim }) => claim);
  const claimed = await claimOwnerless(tx, now, wanted);
  for (const [key, owner] of claimed) owners.set(key, owner);
  const late = wanted.filter((claim) => !claimed.has(claimKey(claim)));
  for (const [key, owner] of await readClaimOwners(tx, late)) owners.set(key, owner);
  const contested = [...ownerless].flatMap(([key, { isContested }]) =>
    isContested && claimed.has(key) ? [key] : [],
  );
  return { owners, contested: new Set(contested) };
}

/**
 * A separate statement: it sees the transactions that committed while the claim waited for them.
 */
async function readTaken(tx: Tx, claims: readonly TradeClaim[]): Promise<TakenTrade[]> {
  if (claims.length === 0) return [];
  return tx.$queryRaw<TakenTrade[]>`
    SELECT k.position, t.order_id::text AS "firstOrder", o.merchant AS "firstMerchant",
      c.merchant IS NOT NULL AS "hasOwnerRow", c.order_id::text AS owner
    FROM ${claimsTable(claims)} AS k
    JOIN trades t USING (rail, trade)
    JOIN orders o ON o.id = t.order_id
    LEFT JOIN trade_claims c
      ON c.rail = k.rail AND c.trade = k.trade AND c.merchant = k.merchant
    ORDER BY k.position`;
}
