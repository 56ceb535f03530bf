/**
 * A text for each open page that changes as soon as the page has something new to show. Pages ask
 * every few seconds, so each statement uses keys and indexes.
 */
import type { Merchants } from '@payonce/orders/access/merchants';
import { reportedUnderId } from '@payonce/orders/reports/copy-rows';
import { Prisma, type PrismaClient } from '@payonce/prisma/client';
import { sqlMerchant } from './where-merchant.js';

interface Row {
  readonly token: string;
}

/** Of the newest 2,000 held events of these merchants: forty pages. */
export async function heldToken(prisma: PrismaClient, merchants: Merchants): Promise<string> {
  const [row] = await prisma.$queryRaw<Row[]>`
    SELECT concat_ws('/', count(*), min(id), max(id), max(decided_at)) AS token
    FROM (SELECT id, decided_at FROM notification_events
      WHERE outcome = 'held' AND ${sqlMerchant(Prisma.sql`merchant`, merchants)}
      ORDER BY id DESC LIMIT 2000) AS held`;
  return row?.token ?? '';
}

export function orderToken(
  prisma: PrismaClient,
  { merchant, number }: { readonly merchant: string; readonly number: string },
): Promise<string> {
  return historyToken(prisma, {
    events: Prisma.sql`merchant = ${merchant} AND order_number = ${number}`,
    orders: Prisma.sql`merchant = ${merchant} AND number = ${number}`,
  });
}

export function notificationToken(prisma: PrismaClient, id: bigint): Promise<string> {
  return historyToken(prisma, {
    events: Prisma.sql`notification_row_id = ${id}`,
    orders: Prisma.sql`false`,
  });
}

/** Covers what a timeline shows: copies, decisions, facts, deliveries and people's actions. */
async function historyToken(
  prisma: PrismaClient,
  { events, orders }: { readonly events: Prisma.Sql; readonly orders: Prisma.Sql },
): Promise<string> {
  const [row] = await prisma.$queryRaw<Row[]>`
    WITH o AS (SELECT id, version FROM orders WHERE ${orders}),
    e AS (SELECT id, notification_row_id, decided_at FROM notification_events WHERE ${events}),
    d AS (
      SELECT * FROM deliveries WHERE order_id IN (SELECT id FROM o)
      UNION ALL SELECT d.* FROM order_events v JOIN deliveries d ON d.order_event_id = v.id
      WHERE v.notification_event_id IN (SELECT id FROM e)
    )
    SELECT concat_ws('/', (SELECT version FROM o),
      (SELECT concat_ws('/', count(*), max(e.decided_at), sum(n.copies), sum(n.acknowledged),
          sum(${reportedUnderId}), max(n.purged_at))
        FROM e JOIN notifications n ON n.id = e.notification_row_id),
      (SELECT concat_ws('/', count(*), sum(attempts), max(delivered_at), max(next_attempt_at),
          string_agg(state, ',' ORDER BY id)) FROM d),
      (SELECT max(id) FROM audit_log WHERE order_id IN (SELECT id FROM o)),
      (SELECT max(id) FROM audit_log WHERE notification_event_id IN (SELECT id FROM e)),
      (SELECT max(id) FROM audit_log WHERE delivery_id IN (SELECT id FROM d))) AS token`;
  return row?.token ?? '';
}

export async function deliveryToken(prisma: PrismaClient, id: bigint): Promise<string> {
  const [row] = await prisma.$queryRaw<Row[]>`
    SELECT concat_ws('/', d.state, d.attempts, d.next_attempt_at, d.parked_reason, e.disabled_at,
      (SELECT max(h.id) FROM delivery_attempts h WHERE h.delivery_id = d.id)) AS token
    FROM deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id WHERE d.id = ${id}`;
  return row?.token ?? '';
}
