/**
 * SQL of orders, trades and facts. All transactions lock in this order, each sorted by unique key.
 * `lost-claims.ts` comes in between.
 */
import { Prisma } from '@payonce/prisma/client';
import type { Fact } from '@payonce/providers/fact';
import type { Rail } from '@payonce/providers/rail';
import { recordset } from '../database/recordset.js';
import type { Tx } from '../database/transaction.js';
import { claimKey, type TradeClaim, tradeKey } from './claim.js';
import { type FactRow, factFromRow } from './fact-rows.js';
import { settleLostClaims, type TradeOwners } from './lost-claims.js';
import type { Order, OrderTerms } from './order.js';
import { lockMissingNumbers, type OrderKey } from './order-lock.js';
import type { KnownOrder } from './plan.js';

const ORDER_COLUMNS = Prisma.sql`o.id, o.merchant, o.number, o.amount, o.currency, o.status,
  o.paid_amount AS "paidAmount", o.refunded_amount AS "refundedAmount", o.paid_at AS "paidAt",
  o.primary_rail AS "primaryRail", o.primary_trade AS "primaryTrade",
  o.attention, o.version, o.created_at AS "createdAt", o.updated_at AS "updatedAt"`;

/** One text per (merchant, number), for maps. */
export function orderKey({ merchant, number }: OrderKey): string {
  return JSON.stringify([merchant, number]);
}

/** By `orderKey`. Without a lock. */
export async function findOrders(tx: Tx, keys: readonly OrderKey[]): Promise<Map<string, Order>> {
  const rows = await tx.$queryRaw<Order[]>`
    SELECT ${ORDER_COLUMNS} FROM orders o JOIN ${asTable(keys)} USING (merchant, number)`;
  return byKey(rows);
}

export interface LockedRow {
  readonly place: number;
  readonly id: string;
  readonly amount: string;
  readonly currency: string;
  readonly version: number;
}

/**
 * Locks the orders of these numbers until the transaction ends. One statement does it when all
 * exist. Otherwise that statement locks none. Then the missing numbers are locked against
 * registration (`order-lock.ts`), and all are looked for again. An order that is missing in the
 * answer does not exist while this transaction lasts.
 */
export async function lockOrders(
  tx: Tx,
  keys: readonly OrderKey[],
): Promise<Map<string, KnownOrder>> {
  const distinct = [...new Map(keys.map((key) => [orderKey(key), key])).values()];
  if (distinct.length === 0) return new Map();
  const first = await lockUnlessMissing(tx, distinct, true);
  if (first.missing.length === 0) return toOrders(distinct, first.locked);
  const missing = first.missing.flatMap((place) => distinct[place] ?? []);
  await lockMissingNumbers(tx, missing);
  return toOrders(distinct, (await lockUnlessMissing(tx, distinct, false)).locked);
}

/** Both by their place among the keys; one JSON text, which the runtime parses natively. */
async function lockUnlessMissing(
  tx: Tx,
  keys: readonly OrderKey[],
  onlyIfAll: boolean,
): Promise<{ readonly missing: readonly number[]; readonly locked: readonly LockedRow[] }> {
  const rows = keys.map(({ merchant, number }, place) => ({ place, merchant, number }));
  const [answer] = await tx.$queryRaw<{ missing: number[] | null; locked: LockedRow[] | null }[]>`
    WITH k AS MATERIALIZED (
      SELECT * FROM ${recordset(rows, { place: 'int', merchant: 'text', number: 'text' })} AS k
    ), missing AS MATERIALIZED (
      SELECT k.place FROM k WHERE ${onlyIfAll} AND NOT EXISTS (
        SELECT FROM orders o WHERE o.merchant = k.merchant AND o.number = k.number)
    ), locked AS MATERIALIZED (
      SELECT k.place, o.id::text, o.amount::text, o.currency, o.version
      FROM orders o JOIN k USING (merchant, number) WHERE NOT EXISTS (SELECT FROM missing)
      ORDER BY o.id FOR UPDATE OF o
    )
    SELECT (SELECT json_agg(place) FROM missing) AS missing,
      (SELECT json_agg(locked) FROM locked) AS locked`;
  return { missing: answer?.missing ?? [], locked: answer?.locked ?? [] };
}

/** By `orderKey`. */
export function toOrders(
  keys: readonly OrderKey[],
  locked: readonly LockedRow[],
): Map<string, KnownOrder> {
  return new Map(
    locked.flatMap(({ place, id, amount, currency, version }): [string, KnownOrder][] => {
      const key = keys[place];
      if (key === undefined) return [];
      const { merchant, number } = key;
      const order = { id: BigInt(id), merchant, number, amount: BigInt(amount), currency, version };
      return [[orderKey(key), order]];
    }),
  );
}

/** Stores new orders; the caller has locked the numbers. @returns the new ones, by `orderKey` */
export async function insertOrders(
  tx: Tx,
  now: Date,
  all: readonly OrderTerms[],
): Promise<Set<string>> {
  const terms = all.map(({ merchant, number, amount, currency }) => ({
    merchant,
    number,
    amount: String(amount),
    currency,
  }));
  const wanted = recordset(terms, {
    merchant: 'text',
    number: 'text',
    amount: 'bigint',
    currency: 'text',
  });
  const rows = await tx.$queryRaw<OrderKey[]>`
    INSERT INTO orders (merchant, number, amount, currency, created_at, updated_at)
    SELECT o.*, ${now}, ${now}
    FROM ${wanted} AS o
    ON CONFLICT (merchant, number) DO NOTHING RETURNING merchant, number`;
  return new Set(rows.map(orderKey));
}

/** Trade owners and order facts, read together. */
export interface Known extends TradeOwners {
  readonly facts: ReadonlyMap<bigint, readonly Fact[]>;
}

interface ClaimedRow {
  readonly rail: Rail;
  readonly trade: string;
  readonly orderId: string;
}

/**
 * Claims trades, first come, first served within each merchant, and reads the facts of these
 * orders. One statement does both. It begins after the orders were locked, so that it sees facts
 * committed meanwhile.
 */
export async function claimTrades(
  tx: Tx,
  now: Date,
  claims: readonly TradeClaim[],
  orderIds: readonly bigint[],
): Promise<Known> {
  if (claims.length === 0) {
    return { owners: new Map(), contested: new Set(), facts: await readFacts(tx, orderIds) };
  }
  const keyed = claims.map((claim) => ({ claim, key: claimKey(claim) }));
  keyed.sort((a, b) => (a.key === b.key ? 0 : a.key < b.key ? -1 : 1));
  const rows = keyed.map(({ claim: { rail, trade, orderId } }, place) => ({
    place,
    rail,
    trade,
    order_id: String(orderId),
  }));
  const wanted = recordset(rows, { place: 'int', rail: 'text', trade: 'text', order_id: 'bigint' });
  const [answer] = await tx.$queryRaw<{ claimed: ClaimedRow[] | null; facts: FactRow[] | null }[]>`
    WITH claimed AS (
      INSERT INTO trades (rail, trade, order_id, created_at)
      SELECT c.rail, c.trade, c.order_id, ${now}
      FROM ${wanted} AS c
      ORDER BY c.place
      ON CONFLICT (rail, trade) DO NOTHING RETURNING rail, trade, order_id::text AS "orderId"
    )
    SELECT (SELECT json_agg(claimed) FROM claimed) AS claimed, ${factsOf(orderIds)} AS facts`;
  const facts = byOrder(orderIds, answer?.facts ?? []);
  const firsts = new Map(
    (answer?.claimed ?? []).map((row) => [tradeKey(row), BigInt(row.orderId)]),
  );
  const owners = new Map<string, bigint>();
  const lost: TradeClaim[] = [];
  for (const { claim, key } of keyed) {
    if (firsts.get(tradeKey(claim)) === claim.orderId) owners.set(key, claim.orderId);
    else lost.push(claim);
  }
  if (lost.length === 0) return { owners, contested: new Set(), facts };
  const settled = await settleLostClaims(tx, now, lost, facts);
  return { owners: new Map([...owners, ...settled.owners]), contested: settled.contested, facts };
}

/** Facts by order. Read them after the orders were locked. */
export async function readFacts(
  tx: Tx,
  orderIds: readonly bigint[],
): Promise<Map<bigint, readonly Fact[]>> {
  if (orderIds.length === 0) return new Map();
  const [answer] = await tx.$queryRaw<{ facts: FactRow[] | null }[]>`
    SELECT ${factsOf(orderIds)} AS facts`;
  return byOrder(orderIds, answer?.facts ?? []);
}

function factsOf(orderIds: readonly bigint[]): Prisma.Sql {
  return Prisma.sql`(SELECT json_agg(f) FROM (
    SELECT order_id::text AS "orderId", kind, rail, trade, refund_id AS "refundId",
      refund_status AS "refundStatus", amount::text, at, audit_id::text AS "auditId",
      release_audit_id::text AS "releaseAuditId"
    FROM facts WHERE order_id = ANY(${[...orderIds]}::bigint[])) AS f)`;
}

function byOrder(
  orderIds: readonly bigint[],
  rows: readonly FactRow[],
): Map<bigint, readonly Fact[]> {
  const facts = new Map<bigint, Fact[]>(orderIds.map((id) => [id, []]));
  for (const row of rows) facts.get(BigInt(row.orderId))?.push(factFromRow(row));
  return facts;
}

function asTable(keys: readonly OrderKey[]): Prisma.Sql {
  const rows = keys.map(({ merchant, number }) => ({ merchant, number }));
  return Prisma.sql`(SELECT DISTINCT * FROM ${recordset(rows, { merchant: 'text', number: 'text' })} AS k)
    AS k`;
}

function byKey<Known extends OrderKey>(orders: readonly Known[]): Map<string, Known> {
  return new Map(orders.map((order) => [orderKey(order), order]));
}
