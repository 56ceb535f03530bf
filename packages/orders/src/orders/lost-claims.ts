/**
 * SQL of trades that another order claimed first. The first claim on a trade does not reach this
 * file.
 */

import type { Fact } from '@payonce/providers/fact';
import { recordset } from '../database/recordset.js';
import type { Tx } from '../database/transaction.js';
import { claimKey, type TradeClaim } from './claim.js';
import { releaseOf } from './released.js';

export interface TradeOwners {
  /** By `claimKey`: the order of the merchant that has the trade. */
  readonly owners: ReadonlyMap<string, bigint>;
  /** By `claimKey`: claimed now although an order of another merchant has the trade. */
  readonly contested: ReadonlySet<string>;
}

/** A claim that came second, and the first one. */
interface Preceded {
  readonly place: number;
  readonly firstOrder: string;
  readonly firstMerchant: string;
  /** Whether `trade_claims` has the trade. If so, a null owner means that it is free. */
  readonly isKept: boolean;
  readonly keptBy: string | null;
}

/**
 * Finds the owners of these trades within their merchants, where `trades` names another order or
 * this one from before. A trade that no order of the merchant has is claimed in `trade_claims`. An
 * order that released a trade never gets it back this way.
 * @param lost sorted by `claimKey`: the order in which all transactions make claims
 * @param facts of their orders, read under the orders' locks
 */
export async function settleLostClaims(
  tx: Tx,
  now: Date,
  lost: readonly TradeClaim[],
  facts: ReadonlyMap<bigint, readonly Fact[]>,
): Promise<TradeOwners> {
  const owners = new Map<string, bigint>();
  const wanted = new Map<string, { claim: TradeClaim; isContested: boolean }>();
  for (const { place, firstOrder, firstMerchant, isKept, keptBy } of await readPreceded(tx, lost)) {
    const claim = lost[place];
    if (claim === undefined) continue;
    const key = claimKey(claim);
    const isOwn = firstMerchant === claim.merchant;
    if (keptBy !== null) owners.set(key, BigInt(keptBy));
    else if (isOwn && !isKept) owners.set(key, BigInt(firstOrder));
    else if (!wanted.has(key) && releaseOf(facts.get(claim.orderId) ?? [], claim) === null) {
      wanted.set(key, { claim, isContested: !isOwn });
    }
  }
  const claims = [...wanted.values()].map(({ claim }) => claim);
  const taken = await take(tx, now, claims);
  for (const [key, owner] of taken) owners.set(key, owner);
  const late = claims.filter((claim) => !taken.has(claimKey(claim)));
  for (const [key, owner] of await readKept(tx, late)) owners.set(key, owner);
  const contested = [...wanted].flatMap(([key, { isContested }]) =>
    isContested && taken.has(key) ? [key] : [],
  );
  return { owners, contested: new Set(contested) };
}

const CLAIM = {
  place: 'int',
  rail: 'text',
  trade: 'text',
  merchant: 'text',
  order_id: 'bigint',
} as const;

function asTable(claims: readonly TradeClaim[]) {
  const rows = claims.map(({ rail, trade, merchant, orderId }, place) => ({
    place,
    rail,
    trade,
    merchant,
    order_id: String(orderId),
  }));
  return recordset(rows, CLAIM);
}

/**
 * A separate statement: it sees the transactions that committed while the claim waited for them.
 */
async function readPreceded(tx: Tx, claims: readonly TradeClaim[]): Promise<Preceded[]> {
  if (claims.length === 0) return [];
  return tx.$queryRaw<Preceded[]>`
    SELECT k.place, t.order_id::text AS "firstOrder", o.merchant AS "firstMerchant",
      c.merchant IS NOT NULL AS "isKept", c.order_id::text AS "keptBy"
    FROM ${asTable(claims)} AS k
    JOIN trades t USING (rail, trade)
    JOIN orders o ON o.id = t.order_id
    LEFT JOIN trade_claims c
      ON c.rail = k.rail AND c.trade = k.trade AND c.merchant = k.merchant
    ORDER BY k.place`;
}

interface KeptRow {
  readonly rail: TradeClaim['rail'];
  readonly trade: string;
  readonly merchant: string;
  readonly orderId: string;
}

/**
 * Takes free and new trades. A claim that waits here for another order of the merchant gets
 * nothing.
 */
async function take(
  tx: Tx,
  now: Date,
  claims: readonly TradeClaim[],
): Promise<Map<string, bigint>> {
  if (claims.length === 0) return new Map();
  return ownersOf(
    await tx.$queryRaw<KeptRow[]>`
      INSERT INTO trade_claims AS c (rail, trade, merchant, order_id, created_at)
      SELECT k.rail, k.trade, k.merchant, k.order_id, ${now} FROM ${asTable(claims)} AS k
      ORDER BY k.place
      ON CONFLICT (rail, trade, merchant)
        DO UPDATE SET order_id = excluded.order_id, told_at = NULL WHERE c.order_id IS NULL
      RETURNING rail, trade, merchant, order_id::text AS "orderId"`,
  );
}

async function readKept(tx: Tx, claims: readonly TradeClaim[]): Promise<Map<string, bigint>> {
  if (claims.length === 0) return new Map();
  return ownersOf(
    await tx.$queryRaw<KeptRow[]>`
      SELECT c.rail, c.trade, c.merchant, c.order_id::text AS "orderId"
      FROM trade_claims c JOIN ${asTable(claims)} AS k USING (rail, trade, merchant)
      WHERE c.order_id IS NOT NULL`,
  );
}

function ownersOf(rows: readonly KeptRow[]): Map<string, bigint> {
  return new Map(rows.map((row) => [claimKey(row), BigInt(row.orderId)]));
}
