/** SQL of orders, trades and facts. Locks are taken in this order, each sorted by unique key. */
import { Prisma } from '@payonce/prisma/client';
import { lockMissingNumbers, type OrderKey } from '../database/order-lock.js';
import type { Tx } from '../database/transaction.js';
import type { Rail } from '../rail.js';
import type { Fact } from './fact.js';
import { type FactRow, factFromRow, factToRow } from './fact-rows.js';
import type { Order, OrderTerms } from './order.js';
import type { Crossing, OrderPlan } from './plan.js';

const ORDER_COLUMNS = Prisma.sql`o.id, o.merchant, o.number, o.amount, o.currency, o.status,
  o.paid_amount AS "paidAmount", o.refunded_amount AS "refundedAmount", o.paid_at AS "paidAt",
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

/**
 * Locks the orders of these numbers until the transaction ends. Numbers that no order has are locked
 * against being registered meanwhile (`order-lock.ts`), then looked for again: whoever is not in the
 * answer does not exist, for as long as this transaction lasts.
 */
export async function lockOrders(tx: Tx, keys: readonly OrderKey[]): Promise<Map<string, Order>> {
  if (keys.length === 0) return new Map();
  const missing = await tx.$queryRaw<OrderKey[]>`
    SELECT k.merchant, k.number FROM ${asTable(keys)} WHERE NOT EXISTS (
      SELECT FROM orders o WHERE o.merchant = k.merchant AND o.number = k.number)`;
  if (missing.length > 0) await lockMissingNumbers(tx, missing);
  const rows = await tx.$queryRaw<Order[]>`
    SELECT ${ORDER_COLUMNS} FROM orders o JOIN ${asTable(keys)} USING (merchant, number)
    ORDER BY o.id FOR UPDATE OF o`;
  return byKey(rows);
}

/** Stores what is not stored yet; the caller has locked the numbers. @returns the new ones, by `orderKey`. */
export async function insertOrders(
  tx: Tx,
  now: Date,
  all: readonly OrderTerms[],
): Promise<Set<string>> {
  const rows = await tx.$queryRaw<OrderKey[]>`
    INSERT INTO orders (merchant, number, amount, currency, created_at, updated_at)
    SELECT o.*, ${now}, ${now} FROM unnest(
      ${all.map((terms) => terms.merchant)}::text[], ${all.map((terms) => terms.number)}::text[],
      ${all.map((terms) => terms.amount)}::bigint[], ${all.map((terms) => terms.currency)}::text[]
    ) AS o (merchant, number, amount, currency)
    ON CONFLICT (merchant, number) DO NOTHING RETURNING merchant, number`;
  return new Set(rows.map(orderKey));
}

export interface TradeClaim {
  readonly rail: Rail;
  readonly trade: string;
  readonly orderId: bigint;
}

export function tradeKey({ rail, trade }: { readonly rail: Rail; readonly trade: string }): string {
  return `${rail}:${trade}`;
}

/** First come, first served. @returns whose each trade is, by `tradeKey`. */
export async function claimTrades(
  tx: Tx,
  now: Date,
  claims: readonly TradeClaim[],
): Promise<Map<string, bigint>> {
  if (claims.length === 0) return new Map();
  const sorted = [...claims].sort((a, b) => (tradeKey(a) < tradeKey(b) ? -1 : 1));
  const claimed = await tx.$queryRaw<TradeClaim[]>`
    INSERT INTO trades (rail, trade, order_id, created_at)
    SELECT rail, trade, order_id, ${now} FROM unnest(
      ${sorted.map((claim) => claim.rail)}::text[], ${sorted.map((claim) => claim.trade)}::text[],
      ${sorted.map((claim) => claim.orderId)}::bigint[])
      WITH ORDINALITY AS c (rail, trade, order_id, place) ORDER BY place
    ON CONFLICT (rail, trade) DO NOTHING RETURNING rail, trade, order_id AS "orderId"`;
  const owners = new Map(claimed.map((row) => [tradeKey(row), row.orderId]));
  const known = sorted.filter((claim) => !owners.has(tradeKey(claim)));
  if (known.length === 0) return owners;
  const rows = await tx.$queryRaw<TradeClaim[]>`
    SELECT t.rail, t.trade, t.order_id AS "orderId" FROM trades t
    JOIN (SELECT DISTINCT * FROM unnest(${known.map((claim) => claim.rail)}::text[],
      ${known.map((claim) => claim.trade)}::text[])) AS c (rail, trade) USING (rail, trade)`;
  for (const row of rows) owners.set(tradeKey(row), row.orderId);
  return owners;
}

/** Facts by order. To be read after the orders were locked. */
export async function readFacts(
  tx: Tx,
  orderIds: readonly bigint[],
): Promise<Map<bigint, readonly Fact[]>> {
  const facts = new Map<bigint, Fact[]>(orderIds.map((id) => [id, []]));
  if (orderIds.length === 0) return facts;
  const rows = await tx.$queryRaw<FactRow[]>`
    SELECT order_id AS "orderId", kind, rail, trade, refund_id AS "refundId",
      refund_status AS "refundStatus", amount, at, audit_id AS "auditId"
    FROM facts WHERE order_id = ANY(${[...orderIds]}::bigint[])`;
  for (const row of rows) facts.get(row.orderId)?.push(factFromRow(row));
  return facts;
}

/** Writes what the plans say, in three statements: facts, orders, order events. */
export async function storePlans(tx: Tx, now: Date, plans: readonly OrderPlan[]): Promise<void> {
  const changed = plans.filter((plan) => plan.changes.length > 0);
  if (changed.length === 0) return;
  await storeFacts(tx, now, changed);
  await storeStates(tx, now, changed);
  await storeOrderEvents(tx, now, changed);
}

/** What `mergeFact` does, once more in SQL: no writer can ever make a known fact less sharp. */
async function storeFacts(tx: Tx, now: Date, plans: readonly OrderPlan[]): Promise<void> {
  const rows = plans.flatMap(({ order, changes }) =>
    changes.map(({ fact, notificationRowId }) => ({
      ...factToRow(order.id, fact),
      notificationRowId,
    })),
  );
  await tx.$executeRaw`
    INSERT INTO facts AS f (order_id, key, kind, rail, trade, refund_id, refund_status, amount, at,
      audit_id, notification_row_id, created_at)
    SELECT c.*, ${now} FROM unnest(
      ${rows.map((row) => row.orderId)}::bigint[], ${rows.map((row) => row.key)}::text[],
      ${rows.map((row) => row.kind)}::text[], ${rows.map((row) => row.rail)}::text[],
      ${rows.map((row) => row.trade)}::text[], ${rows.map((row) => row.refundId)}::text[],
      ${rows.map((row) => row.refundStatus)}::text[], ${rows.map((row) => row.amount)}::bigint[],
      ${rows.map((row) => row.at)}::timestamptz[], ${rows.map((row) => row.auditId)}::bigint[],
      ${rows.map((row) => row.notificationRowId)}::bigint[]
    ) AS c (order_id, key, kind, rail, trade, refund_id, refund_status, amount, at, audit_id,
      notification_row_id)
    ORDER BY c.order_id, c.key
    ON CONFLICT (order_id, key) DO UPDATE SET
      at = LEAST(f.at, excluded.at),
      amount = GREATEST(f.amount, excluded.amount),
      trade = LEAST(f.trade COLLATE "C", excluded.trade COLLATE "C")
    WHERE (f.at, f.amount, f.trade) IS DISTINCT FROM (LEAST(f.at, excluded.at),
      GREATEST(f.amount, excluded.amount), LEAST(f.trade COLLATE "C", excluded.trade COLLATE "C"))`;
}

async function storeStates(tx: Tx, now: Date, plans: readonly OrderPlan[]): Promise<void> {
  const states = plans.map((plan) => plan.state);
  await tx.$executeRaw`
    UPDATE orders o SET status = s.status, paid_amount = s.paid_amount,
      refunded_amount = s.refunded_amount, paid_at = s.paid_at, primary_rail = s.primary_rail,
      primary_trade = s.primary_trade, attention = string_to_array(s.attention, ','),
      version = s.version, updated_at = ${now}
    FROM unnest(
      ${plans.map((plan) => plan.order.id)}::bigint[], ${plans.map((plan) => plan.version)}::int[],
      ${states.map((state) => state.status)}::text[],
      ${states.map((state) => state.paidAmount)}::bigint[],
      ${states.map((state) => state.refundedAmount)}::bigint[],
      ${states.map((state) => state.paidAt)}::timestamptz[],
      ${states.map((state) => state.primary?.rail ?? null)}::text[],
      ${states.map((state) => state.primary?.trade ?? null)}::text[],
      ${states.map((state) => state.attention.join(','))}::text[]
    ) AS s (id, version, status, paid_amount, refunded_amount, paid_at, primary_rail,
      primary_trade, attention)
    WHERE o.id = s.id`;
}

/** A milestone crossed again (a flag that went and came back) was told already. */
async function storeOrderEvents(tx: Tx, now: Date, plans: readonly OrderPlan[]): Promise<void> {
  const events = plans.flatMap(({ order, crossings }) =>
    crossings.map((crossing) => ({
      ...crossing,
      orderId: order.id,
      merchant: order.merchant,
      payload: orderEventPayload(order, crossing),
    })),
  );
  if (events.length === 0) return;
  await tx.$executeRaw`
    INSERT INTO order_events (order_id, merchant, type, milestone, version, payload, created_at)
    SELECT e.order_id, e.merchant, e.type, e.milestone, e.version, e.payload, ${now} FROM unnest(
      ${events.map((event) => event.orderId)}::bigint[],
      ${events.map((event) => event.merchant)}::text[],
      ${events.map((event) => event.type)}::text[],
      ${events.map((event) => event.milestone)}::text[],
      ${events.map((event) => event.version)}::int[],
      ${events.map((event) => event.payload)}::jsonb[]
    ) WITH ORDINALITY AS e (order_id, merchant, type, milestone, version, payload, place) ORDER BY place
    ON CONFLICT (order_id, type, milestone) DO NOTHING`;
}

/** The order at that version, as `deliveries/messages.ts` describes it: amounts as text. */
function orderEventPayload(
  order: OrderPlan['order'],
  { milestone, version, state }: Crossing,
): string {
  const { primary } = state;
  return JSON.stringify({
    merchant: order.merchant,
    orderNumber: order.number,
    amount: order.amount.toString(),
    currency: order.currency,
    status: state.status,
    paidAmount: state.paidAmount.toString(),
    refundedAmount: state.refundedAmount.toString(),
    paidAt: state.paidAt,
    attention: state.attention,
    trade: primary && { rail: primary.rail, trade: primary.trade },
    version,
    milestone,
  });
}

function asTable(keys: readonly OrderKey[]): Prisma.Sql {
  const merchants = keys.map((key) => key.merchant);
  const numbers = keys.map((key) => key.number);
  return Prisma.sql`(SELECT DISTINCT * FROM unnest(${merchants}::text[], ${numbers}::text[]))
    AS k (merchant, number)`;
}

function byKey(orders: readonly Order[]): Map<string, Order> {
  return new Map(orders.map((order) => [orderKey(order), order]));
}
