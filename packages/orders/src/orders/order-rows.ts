/** SQL of orders. */
import { Prisma } from '@payonce/prisma/client';
import { recordset } from '../database/recordset.js';
import type { Tx } from '../database/transaction.js';
import { type Order, type OrderKey, type OrderTerms, orderKey, type Rewind } from './order.js';
import type { OrderPlan } from './plan.js';

const ORDER_COLUMNS = Prisma.sql`o.id, o.merchant, o.number, o.amount, o.currency, o.status,
  o.paid_amount AS "paidAmount", o.refunded_amount AS "refundedAmount", o.paid_at AS "paidAt",
  o.primary_rail AS "primaryRail", o.primary_trade AS "primaryTrade",
  o.attention, o.version, o.created_at AS "createdAt", o.updated_at AS "updatedAt"`;

/** By `orderKey`. Without a lock. */
export async function findOrders(tx: Tx, keys: readonly OrderKey[]): Promise<Map<string, Order>> {
  const wanted = recordset(
    keys.map(({ merchant, number }) => ({ merchant, number })),
    { merchant: 'text', number: 'text' },
  );
  const rows = await tx.$queryRaw<Order[]>`
    SELECT ${ORDER_COLUMNS} FROM orders o JOIN (SELECT DISTINCT * FROM ${wanted} AS k) AS k
      USING (merchant, number)`;
  return new Map(rows.map((order) => [orderKey(order), order]));
}

/** A locked row, read as JSON: bigint as text. */
export interface LockedRow {
  /** The index of its key among the keys that were asked for. */
  readonly position: number;
  readonly id: string;
  readonly amount: string;
  readonly currency: string;
  readonly version: number;
  readonly createdAt: string;
}

export interface LockedRows {
  readonly locked: readonly LockedRow[];
  readonly rewind: Rewind | null;
}

/** As JSON: the time as text. */
interface RewindRow {
  readonly at: string;
  readonly floor: number;
}

/** Part of a statement. The index finds it, also while the table is empty. */
const LATEST_REWIND = Prisma.sql`(SELECT json_build_object('at', found_at, 'floor', version_floor)
  FROM rewinds ORDER BY version_floor DESC LIMIT 1) AS rewind`;

function toRewind(row: RewindRow | null | undefined): Rewind | null {
  return row ? { at: new Date(row.at), versionFloor: row.floor } : null;
}

/**
 * Waits for the locks of these orders. With `onlyIfAll` it locks none if one does not exist.
 * @returns the locked rows; with `onlyIfAll` also the indices of the keys that no order has. One
 * JSON text each, which the runtime parses natively.
 */
export async function lockRows(
  tx: Tx,
  keys: readonly OrderKey[],
  onlyIfAll: boolean,
): Promise<LockedRows & { readonly missing: readonly number[] }> {
  const [row] = await tx.$queryRaw<
    { missing: number[] | null; locked: LockedRow[] | null; rewind: RewindRow | null }[]
  >`
    WITH k AS MATERIALIZED (
      SELECT * FROM ${asTable(keys)} AS k
    ), missing AS MATERIALIZED (
      SELECT k.position FROM k WHERE ${onlyIfAll} AND NOT EXISTS (
        SELECT FROM orders o WHERE o.merchant = k.merchant AND o.number = k.number)
    ), locked AS MATERIALIZED (
      SELECT k.position, o.id::text, o.amount::text, o.currency, o.version,
        o.created_at AS "createdAt"
      FROM orders o JOIN k USING (merchant, number) WHERE NOT EXISTS (SELECT FROM missing)
      ORDER BY o.id FOR UPDATE OF o
    )
    SELECT (SELECT json_agg(position) FROM missing) AS missing,
      (SELECT json_agg(locked) FROM locked) AS locked, ${LATEST_REWIND}`;
  return {
    missing: row?.missing ?? [],
    locked: row?.locked ?? [],
    rewind: toRewind(row?.rewind),
  };
}

/**
 * Locks those of these orders that no other transaction has locked.
 * @returns the locked rows; with `findsStored` also the indices of the keys that an order has
 */
export async function tryLockRows(
  tx: Tx,
  keys: readonly OrderKey[],
  findsStored: boolean,
): Promise<LockedRows & { readonly stored: ReadonlySet<number> }> {
  const [row] = await tx.$queryRaw<
    { locked: LockedRow[] | null; stored: number[] | null; rewind: RewindRow | null }[]
  >`
    WITH k AS MATERIALIZED (
      SELECT * FROM ${asTable(keys)} AS k
    ), locked AS MATERIALIZED (
      SELECT k.position, o.id::text, o.amount::text, o.currency, o.version,
        o.created_at AS "createdAt"
      FROM orders o JOIN k USING (merchant, number) ORDER BY o.id FOR UPDATE OF o SKIP LOCKED
    ), stored AS MATERIALIZED (
      SELECT k.position FROM k WHERE ${findsStored} AND EXISTS (
        SELECT FROM orders o WHERE o.merchant = k.merchant AND o.number = k.number)
    )
    SELECT (SELECT json_agg(locked) FROM locked) AS locked,
      (SELECT json_agg(position) FROM stored) AS stored, ${LATEST_REWIND}`;
  return {
    locked: row?.locked ?? [],
    stored: new Set(row?.stored ?? []),
    rewind: toRewind(row?.rewind),
  };
}

function asTable(keys: readonly OrderKey[]): Prisma.Sql {
  const rows = keys.map(({ merchant, number }, position) => ({ position, merchant, number }));
  return recordset(rows, { position: 'int', merchant: 'text', number: 'text' });
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

/** Part of a statement: writes the planned states. */
export function updateOrders(now: Date, plans: readonly OrderPlan[]): Prisma.Sql {
  const rows = plans.map(({ order, version, state }) => ({
    id: String(order.id),
    version,
    status: state.status,
    paid_amount: String(state.paidAmount),
    refunded_amount: String(state.refundedAmount),
    paid_at: state.paidAt,
    primary_rail: state.primary?.rail ?? null,
    primary_trade: state.primary?.trade ?? null,
    attention: state.attention.join(','),
  }));
  const states = recordset(rows, {
    id: 'bigint',
    version: 'int',
    status: 'text',
    paid_amount: 'bigint',
    refunded_amount: 'bigint',
    paid_at: 'timestamptz',
    primary_rail: 'text',
    primary_trade: 'text',
    attention: 'text',
  });
  return Prisma.sql`
    UPDATE orders o SET status = s.status, paid_amount = s.paid_amount,
      refunded_amount = s.refunded_amount, paid_at = s.paid_at, primary_rail = s.primary_rail,
      primary_trade = s.primary_trade, attention = string_to_array(s.attention, ','),
      version = s.version, updated_at = ${now}
    FROM ${states} AS s
    WHERE o.id = s.id`;
}
