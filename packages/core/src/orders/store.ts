/** SQL of orders, trades and facts. Locks are taken in this order, each sorted by unique key. */
import { Prisma } from '@payonce/prisma/client';
import { lockMissingNumbers, type OrderKey } from '../database/order-lock.js';
import { recordset } from '../database/recordset.js';
import type { Tx } from '../database/transaction.js';
import type { Rail } from '../rail.js';
import type { Fact } from './fact.js';
import { type FactRow, factFromRow, factToRow } from './fact-rows.js';
import type { Order, OrderTerms } from './order.js';
import type { Crossing, KnownOrder, OrderPlan } from './plan.js';

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
export async function lockOrders(
  tx: Tx,
  keys: readonly OrderKey[],
): Promise<Map<string, KnownOrder>> {
  if (keys.length === 0) return new Map();
  const missing = await tx.$queryRaw<OrderKey[]>`
    SELECT k.merchant, k.number FROM ${asTable(keys)} WHERE NOT EXISTS (
      SELECT FROM orders o WHERE o.merchant = k.merchant AND o.number = k.number)`;
  if (missing.length > 0) await lockMissingNumbers(tx, missing);
  const rows = await tx.$queryRaw<KnownOrder[]>`
    SELECT o.id, o.merchant, o.number, o.amount, o.currency, o.version
    FROM orders o JOIN ${asTable(keys)} USING (merchant, number)
    ORDER BY o.id FOR UPDATE OF o`;
  return byKey(rows);
}

/** Stores what is not stored yet; the caller has locked the numbers. @returns the new ones, by `orderKey`. */
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
  const rows = await tx.$queryRaw<OrderKey[]>`
    INSERT INTO orders (merchant, number, amount, currency, created_at, updated_at)
    SELECT o.*, ${now}, ${now}
    FROM ${recordset(terms)} AS o (merchant text, number text, amount bigint, currency text)
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
  const rows = sorted.map(({ rail, trade, orderId }, place) => ({
    place,
    rail,
    trade,
    order_id: String(orderId),
  }));
  const claimed = await tx.$queryRaw<TradeClaim[]>`
    INSERT INTO trades (rail, trade, order_id, created_at)
    SELECT c.rail, c.trade, c.order_id, ${now}
    FROM ${recordset(rows)} AS c (place int, rail text, trade text, order_id bigint) ORDER BY c.place
    ON CONFLICT (rail, trade) DO NOTHING RETURNING rail, trade, order_id AS "orderId"`;
  const owners = new Map(claimed.map((row) => [tradeKey(row), row.orderId]));
  const known = sorted.filter((claim) => !owners.has(tradeKey(claim)));
  if (known.length === 0) return owners;
  const found = await tx.$queryRaw<TradeClaim[]>`
    SELECT t.rail, t.trade, t.order_id AS "orderId" FROM trades t JOIN (
      SELECT DISTINCT c.rail, c.trade
      FROM ${recordset(known.map(({ rail, trade }) => ({ rail, trade })))} AS c (rail text, trade text)
    ) AS c USING (rail, trade)`;
  for (const row of found) owners.set(tradeKey(row), row.orderId);
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
      notification_row_id: notificationRowId === null ? null : String(notificationRowId),
    })),
  );
  await tx.$executeRaw`
    INSERT INTO facts AS f (order_id, key, kind, rail, trade, refund_id, refund_status, amount, at,
      audit_id, notification_row_id, created_at)
    SELECT c.*, ${now} FROM ${recordset(rows)} AS c (order_id bigint, key text, kind text, rail text,
      trade text, refund_id text, refund_status text, amount bigint, at timestamptz,
      audit_id bigint, notification_row_id bigint)
    ORDER BY c.order_id, c.key
    ON CONFLICT (order_id, key) DO UPDATE SET
      at = LEAST(f.at, excluded.at),
      amount = GREATEST(f.amount, excluded.amount),
      trade = LEAST(f.trade COLLATE "C", excluded.trade COLLATE "C")
    WHERE (f.at, f.amount, f.trade) IS DISTINCT FROM (LEAST(f.at, excluded.at),
      GREATEST(f.amount, excluded.amount), LEAST(f.trade COLLATE "C", excluded.trade COLLATE "C"))`;
}

async function storeStates(tx: Tx, now: Date, plans: readonly OrderPlan[]): Promise<void> {
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
  await tx.$executeRaw`
    UPDATE orders o SET status = s.status, paid_amount = s.paid_amount,
      refunded_amount = s.refunded_amount, paid_at = s.paid_at, primary_rail = s.primary_rail,
      primary_trade = s.primary_trade, attention = string_to_array(s.attention, ','),
      version = s.version, updated_at = ${now}
    FROM ${recordset(rows)} AS s (id bigint, version int, status text, paid_amount bigint,
      refunded_amount bigint, paid_at timestamptz, primary_rail text, primary_trade text,
      attention text)
    WHERE o.id = s.id`;
}

/** A milestone crossed again (a flag that went and came back) was told already. */
async function storeOrderEvents(tx: Tx, now: Date, plans: readonly OrderPlan[]): Promise<void> {
  const events = plans.flatMap(({ order, crossings }) =>
    crossings.map((crossing) => ({ order, crossing })),
  );
  if (events.length === 0) return;
  const rows = events.map(({ order, crossing }, place) => ({
    place,
    order_id: String(order.id),
    merchant: order.merchant,
    type: crossing.type,
    milestone: crossing.milestone,
    version: crossing.version,
    payload: orderEventPayload(order, crossing),
  }));
  await tx.$executeRaw`
    INSERT INTO order_events (order_id, merchant, type, milestone, version, payload, created_at)
    SELECT e.order_id, e.merchant, e.type, e.milestone, e.version, e.payload::jsonb, ${now}
    FROM ${recordset(rows)} AS e (place int, order_id bigint, merchant text, type text,
      milestone text, version int, payload text) ORDER BY e.place
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
  const rows = keys.map(({ merchant, number }) => ({ merchant, number }));
  return Prisma.sql`(SELECT DISTINCT * FROM ${recordset(rows)} AS k (merchant text, number text))
    AS k`;
}

function byKey<Known extends OrderKey>(orders: readonly Known[]): Map<string, Known> {
  return new Map(orders.map((order) => [orderKey(order), order]));
}
