/**
 * SQL of the orders that have trades. `trades` has the first order of all merchants that claimed a
 * trade. `trade_claims` has the owner within a merchant, where that is another order or none.
 */
import { Prisma } from '@payonce/prisma/client';
import type { Rail } from '@payonce/providers/rail';
import { recordset } from '../database/recordset.js';
import type { Tx } from '../database/transaction.js';
import { claimKey, type TradeClaim } from './trade-claim.js';

/** A row that `insertTrades` wrote, read as JSON. */
export interface InsertedTrade {
  readonly rail: Rail;
  readonly trade: string;
  readonly orderId: string;
}

/** Part of a statement: the first claim on a trade gets it. `claims` are sorted by `claimKey`. */
export function insertTrades(now: Date, claims: readonly TradeClaim[]): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO trades (rail, trade, order_id, created_at)
    SELECT c.rail, c.trade, c.order_id, ${now}
    FROM ${claimsTable(claims)} AS c
    ORDER BY c.position
    ON CONFLICT (rail, trade) DO NOTHING RETURNING rail, trade, order_id::text AS "orderId"`;
}

const CLAIM = {
  position: 'int',
  rail: 'text',
  trade: 'text',
  merchant: 'text',
  order_id: 'bigint',
} as const;

/** The claims as a table, each with its index as `position`. */
export function claimsTable(claims: readonly TradeClaim[]): Prisma.Sql {
  const rows = claims.map(({ rail, trade, merchant, orderId }, position) => ({
    position,
    rail,
    trade,
    merchant,
    order_id: String(orderId),
  }));
  return recordset(rows, CLAIM);
}

interface OwnerRow {
  readonly rail: TradeClaim['rail'];
  readonly trade: string;
  readonly merchant: string;
  readonly orderId: string;
}

/**
 * Claims trades that no order of the merchant has. A claim that waits here for another order of the
 * merchant gets nothing.
 * @returns the owners by `claimKey`, of the claims that got their trade
 */
export async function claimOwnerless(
  tx: Tx,
  now: Date,
  claims: readonly TradeClaim[],
): Promise<Map<string, bigint>> {
  if (claims.length === 0) return new Map();
  return ownersOf(
    await tx.$queryRaw<OwnerRow[]>`
      INSERT INTO trade_claims AS c (rail, trade, merchant, order_id, created_at)
      SELECT k.rail, k.trade, k.merchant, k.order_id, ${now} FROM ${claimsTable(claims)} AS k
      ORDER BY k.position
      ON CONFLICT (rail, trade, merchant)
        DO UPDATE SET order_id = excluded.order_id, told_at = NULL WHERE c.order_id IS NULL
      RETURNING rail, trade, merchant, order_id::text AS "orderId"`,
  );
}

/** By `claimKey`. */
export async function readClaimOwners(
  tx: Tx,
  claims: readonly TradeClaim[],
): Promise<Map<string, bigint>> {
  if (claims.length === 0) return new Map();
  return ownersOf(
    await tx.$queryRaw<OwnerRow[]>`
      SELECT c.rail, c.trade, c.merchant, c.order_id::text AS "orderId"
      FROM trade_claims c JOIN ${claimsTable(claims)} AS k USING (rail, trade, merchant)
      WHERE c.order_id IS NOT NULL`,
  );
}

function ownersOf(rows: readonly OwnerRow[]): Map<string, bigint> {
  return new Map(rows.map((row) => [claimKey(row), BigInt(row.orderId)]));
}

/**
 * The order that has the trade gives it up; the merchant's next order that claims it gets it. The
 * caller holds the order's lock.
 */
export async function giveUpTrade(
  tx: Tx,
  now: Date,
  { rail, trade, merchant, orderId }: TradeClaim,
): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO trade_claims AS c (rail, trade, merchant, order_id, created_at)
    VALUES (${rail}, ${trade}, ${merchant}, NULL, ${now})
    ON CONFLICT (rail, trade, merchant) DO UPDATE SET order_id = NULL
      WHERE c.order_id = ${orderId}`;
}

/**
 * The order that gave it up takes it back. False when another one has it. The caller holds the
 * order's lock.
 */
export async function takeTradeBack(
  tx: Tx,
  { rail, trade, merchant, orderId }: TradeClaim,
): Promise<boolean> {
  const count = await tx.$executeRaw`
    UPDATE trade_claims SET order_id = ${orderId}, told_at = NULL
    WHERE rail = ${rail} AND trade = ${trade} AND merchant = ${merchant} AND order_id IS NULL`;
  return count === 1;
}

/** The number of the order of this merchant that has the trade; null when none has it. */
export async function ownerOf(
  tx: Tx,
  { rail, trade, merchant }: Omit<TradeClaim, 'orderId'>,
): Promise<string | null> {
  const [row] = await tx.$queryRaw<{ number: string | null }[]>`
    SELECT o.number, 1 AS rank FROM trade_claims c LEFT JOIN orders o ON o.id = c.order_id
    WHERE c.rail = ${rail} AND c.trade = ${trade} AND c.merchant = ${merchant}
    UNION ALL
    SELECT o.number, 2 AS rank FROM trades t JOIN orders o ON o.id = t.order_id
    WHERE t.rail = ${rail} AND t.trade = ${trade} AND o.merchant = ${merchant}
    ORDER BY rank LIMIT 1`;
  return row?.number ?? null;
}

/** Claims of which `flagContested` has not looked for other merchants' orders yet. */
export function findUncheckedClaims(
  tx: Pick<Tx, '$queryRaw'>,
  limit: number,
): Promise<TradeClaim[]> {
  return tx.$queryRaw<TradeClaim[]>`
    SELECT rail, trade, merchant, order_id AS "orderId" FROM trade_claims
    WHERE told_at IS NULL AND order_id IS NOT NULL ORDER BY created_at LIMIT ${limit}`;
}

/** Marks only these claims: a claim that got another order meanwhile is looked at again. */
export async function markChecked(tx: Tx, now: Date, claims: readonly TradeClaim[]): Promise<void> {
  await tx.$executeRaw`
    UPDATE trade_claims SET told_at = ${now}
    WHERE (rail, trade, merchant) IN (
      SELECT c.rail, c.trade, c.merchant FROM trade_claims c
      JOIN unnest(
        ${claims.map(({ rail }) => rail)}::text[], ${claims.map(({ trade }) => trade)}::text[],
        ${claims.map(({ merchant }) => merchant)}::text[],
        ${claims.map(({ orderId }) => orderId)}::bigint[]
      ) AS k (rail, trade, merchant, order_id) USING (rail, trade, merchant, order_id)
      FOR UPDATE OF c SKIP LOCKED
    )`;
}
