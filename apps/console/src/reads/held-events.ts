import type { Merchants } from '@payonce/orders/access/merchants';
import type { Tx } from '@payonce/orders/database/transaction';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { pageOf } from '../schemas/fields.js';
import { type HeldFilter, whereHeld } from './held-filter.js';
import { withStatementTimeout } from './with-statement-timeout.js';

const withNotification = {
  notification: { select: { id: true, provider: true, channel: true, notificationId: true } },
} as const;
type EventRow = Prisma.NotificationEventGetPayload<{ include: typeof withNotification }>;
export type OrderRow = Prisma.OrderGetPayload<object>;

/** A held event with its notification, and its order if that is registered. */
export interface HeldEventRow extends EventRow {
  readonly order: OrderRow | null;
}

interface HeldQuery extends HeldFilter {
  readonly cursor?: bigint | undefined;
}

/** Held events of these merchants, the newest first. */
export async function readHeldEvents(
  prisma: PrismaClient,
  merchants: Merchants,
  query: HeldQuery,
  limit: number,
): Promise<{ readonly rows: readonly EventRow[]; readonly nextCursor: string | null }> {
  const found = await withStatementTimeout(prisma, (tx) =>
    tx.notificationEvent.findMany({
      where: { ...whereHeld(query, merchants), ...(query.cursor && { id: { lt: query.cursor } }) },
      select: { id: true },
      orderBy: { id: 'desc' },
      take: limit + 1,
    }),
  );
  const { rows, nextCursor } = pageOf(found, limit);
  const events = await prisma.notificationEvent.findMany({
    where: { id: { in: rows.map(({ id }) => id) } },
    include: withNotification,
    orderBy: { id: 'desc' },
  });
  return { rows: events, nextCursor };
}

/** The same, each with its order. */
export async function readHeldEventsWithOrders(
  prisma: PrismaClient,
  merchants: Merchants,
  query: HeldQuery,
  limit: number,
): Promise<{ readonly rows: readonly HeldEventRow[]; readonly nextCursor: string | null }> {
  const { rows, nextCursor } = await readHeldEvents(prisma, merchants, query, limit);
  return { rows: await withOrders(prisma, rows), nextCursor };
}

/** One event, held or not; null when there is none. */
export async function readEvent(
  prisma: PrismaClient,
  notificationRowId: bigint,
  position: number,
): Promise<HeldEventRow | null> {
  const row = await prisma.notificationEvent.findUnique({
    where: { notificationRowId_position: { notificationRowId, position } },
    include: withNotification,
  });
  if (row === null) return null;
  const [event = null] = await withOrders(prisma, [row]);
  return event;
}

async function withOrders(
  prisma: PrismaClient,
  rows: readonly EventRow[],
): Promise<HeldEventRow[]> {
  const orders = await readRegistered(prisma, rows);
  return rows.map((row) => ({
    ...row,
    order:
      orders.find((one) => one.merchant === row.merchant && one.number === row.orderNumber) ?? null,
  }));
}

/** The orders that these events name. There is no foreign key: they may be unregistered. */
export async function readRegistered(
  tx: Tx,
  events: readonly { readonly merchant: string; readonly orderNumber: string | null }[],
): Promise<OrderRow[]> {
  const named = events.flatMap(({ merchant, orderNumber: number }) =>
    number === null ? [] : [{ merchant, number }],
  );
  return named.length === 0 ? [] : tx.order.findMany({ where: { OR: named } });
}
