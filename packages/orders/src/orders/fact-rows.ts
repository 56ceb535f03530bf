/** SQL of facts. */
import { Prisma } from '@payonce/prisma/client';
import { type Fact, factKey } from '@payonce/providers/fact';
import { recordset } from '../database/recordset.js';
import type { Tx } from '../database/transaction.js';
import type { OrderPlan } from './plan.js';

/** A fact as read from the database: a row of JSON, bigint as text, times as ISO 8601. */
export interface FactRow {
  readonly orderId: string;
  readonly kind: string;
  readonly rail: string | null;
  readonly trade: string | null;
  readonly refundId: string | null;
  readonly refundStatus: string | null;
  readonly amount: string | null;
  readonly at: string | null;
  readonly auditId: string | null;
  readonly releaseAuditId: string | null;
}

/** In the form that `recordset` takes. */
function factToRow(orderId: bigint, fact: Fact) {
  return {
    order_id: String(orderId),
    key: factKey(fact),
    kind: fact.kind,
    rail: fact.kind === 'closed' ? (fact.by === 'merchant' ? null : fact.by) : fact.rail,
    trade: fact.trade,
    refund_id: fact.kind === 'refund' ? fact.refundId : null,
    refund_status: fact.kind === 'refund' ? fact.status : null,
    amount: 'amount' in fact ? String(fact.amount) : null,
    at: fact.at,
    audit_id: 'auditId' in fact ? fact.auditId : null,
    release_audit_id: fact.kind === 'reinstated' ? fact.releaseAuditId : null,
  };
}

/**
 * The constraint `facts_whole` keeps the columns of a kind together, so only types are restored
 * here.
 */
function factFromRow(row: FactRow): Fact {
  const { kind, rail, trade } = row;
  const amount = row.amount === null ? null : BigInt(row.amount);
  const at = row.at === null ? null : new Date(row.at);
  switch (kind) {
    case 'paid':
      return { kind, rail, trade, amount, at } as Fact;
    case 'refund':
      return {
        kind,
        rail,
        trade,
        refundId: row.refundId,
        status: row.refundStatus,
        amount,
        at,
      } as Fact;
    case 'refund_total':
      return { kind, rail, trade, amount, at } as Fact;
    case 'finished':
      return { kind, rail, trade, at } as Fact;
    case 'closed':
      return { kind, by: rail ?? 'merchant', trade, at } as Fact;
    case 'operator':
      return { kind, auditId: row.auditId, rail, trade, amount, at } as Fact;
    case 'contested':
      return { kind, rail, trade, at: null } as Fact;
    case 'released':
      return { kind, auditId: row.auditId, rail, trade, at } as Fact;
    case 'reinstated':
      return {
        kind,
        auditId: row.auditId,
        releaseAuditId: row.releaseAuditId,
        rail,
        trade,
        at,
      } as Fact;
    default:
      throw new Error(`the database holds a fact of an unknown kind: ${kind}`);
  }
}

/** Facts by order. Read them after the orders were locked. */
export async function readFacts(
  tx: Tx,
  orderIds: readonly bigint[],
): Promise<Map<bigint, readonly Fact[]>> {
  if (orderIds.length === 0) return new Map();
  const [row] = await tx.$queryRaw<{ facts: FactRow[] | null }[]>`
    SELECT ${selectFacts(orderIds)} AS facts`;
  return factsByOrder(orderIds, row?.facts ?? []);
}

/** Part of a statement: the facts of these orders as one JSON text; null when there are none. */
export function selectFacts(orderIds: readonly bigint[]): Prisma.Sql {
  return Prisma.sql`(SELECT json_agg(f) FROM (
    SELECT order_id::text AS "orderId", kind, rail, trade, refund_id AS "refundId",
      refund_status AS "refundStatus", amount::text, at, audit_id::text AS "auditId",
      release_audit_id::text AS "releaseAuditId"
    FROM facts WHERE order_id = ANY(${[...orderIds]}::bigint[])) AS f)`;
}

export function factsByOrder(
  orderIds: readonly bigint[],
  rows: readonly FactRow[],
): Map<bigint, readonly Fact[]> {
  const facts = new Map<bigint, Fact[]>(orderIds.map((id) => [id, []]));
  for (const row of rows) facts.get(BigInt(row.orderId))?.push(factFromRow(row));
  return facts;
}

/**
 * Part of a statement: writes the planned facts. Repeats `mergeFact` in SQL: no writer can ever
 * make a known fact less precise.
 */
export function upsertFacts(now: Date, plans: readonly OrderPlan[]): Prisma.Sql {
  const rows = plans.flatMap(({ order, changes }) =>
    changes.map(({ fact, notificationRowId }) => ({
      ...factToRow(order.id, fact),
      notification_row_id: notificationRowId === null ? null : String(notificationRowId),
    })),
  );
  const changed = recordset(rows, {
    order_id: 'bigint',
    key: 'text',
    kind: 'text',
    rail: 'text',
    trade: 'text',
    refund_id: 'text',
    refund_status: 'text',
    amount: 'bigint',
    at: 'timestamptz',
    audit_id: 'bigint',
    release_audit_id: 'bigint',
    notification_row_id: 'bigint',
  });
  return Prisma.sql`
    INSERT INTO facts AS f (order_id, key, kind, rail, trade, refund_id, refund_status, amount, at,
      audit_id, release_audit_id, notification_row_id, created_at)
    SELECT c.*, ${now} FROM ${changed} AS c
    ORDER BY c.order_id, c.key
    ON CONFLICT (order_id, key) DO UPDATE SET
      at = LEAST(f.at, excluded.at),
      amount = GREATEST(f.amount, excluded.amount),
      trade = LEAST(f.trade COLLATE "C", excluded.trade COLLATE "C")
    WHERE (f.at, f.amount, f.trade) IS DISTINCT FROM (LEAST(f.at, excluded.at),
      GREATEST(f.amount, excluded.amount), LEAST(f.trade COLLATE "C", excluded.trade COLLATE "C"))`;
}
