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

/** Of deliveries `d`. A person's action on one changes these columns too. */
const sent = Prisma.sql`concat_ws('/', count(*), sum(d.attempts), max(d.delivered_at),
  max(d.next_attempt_at), string_agg(d.state, ',' ORDER BY d.id))`;

/** Of events `e`: copies, decisions, people's actions, and deliveries about a hold. */
const ofEvents = Prisma.sql`concat_ws('/', count(*), max(e.decided_at), sum(n.copies),
    sum(n.acknowledged), max(n.purged_at), sum(${reportedUnderId}),
    max((SELECT max(id) FROM audit_log WHERE notification_event_id = e.id)),
    string_agg((SELECT ${sent} FROM order_events v JOIN deliveries d ON d.order_event_id = v.id
      WHERE v.notification_event_id = e.id), '/' ORDER BY e.id))
  FROM notification_events e JOIN notifications n ON n.id = e.notification_row_id`;

export async function orderToken(
  prisma: PrismaClient,
  { merchant, number }: { readonly merchant: string; readonly number: string },
): Promise<string> {
  const [row] = await prisma.$queryRaw<Row[]>`
    SELECT concat_ws('/', o.version,
      (SELECT ${ofEvents} WHERE e.merchant = o.merchant AND e.order_number = o.number),
      (SELECT ${sent} FROM deliveries d WHERE d.order_id = o.id),
      (SELECT max(id) FROM audit_log WHERE order_id = o.id)) AS token
    FROM orders o WHERE o.merchant = ${merchant} AND o.number = ${number}`;
  return row?.token ?? '';
}

export async function notificationToken(prisma: PrismaClient, id: bigint): Promise<string> {
  const [row] = await prisma.$queryRaw<Row[]>`
    SELECT (SELECT ${ofEvents} WHERE e.notification_row_id = ${id}) AS token`;
  return row?.token ?? '';
}

export async function deliveryToken(prisma: PrismaClient, id: bigint): Promise<string> {
  const [row] = await prisma.$queryRaw<Row[]>`
    SELECT concat_ws('/', d.state, d.attempts, d.next_attempt_at, d.parked_reason, e.disabled_at,
      (SELECT max(h.id) FROM delivery_attempts h WHERE h.delivery_id = d.id)) AS token
    FROM deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id WHERE d.id = ${id}`;
  return row?.token ?? '';
}
