/** The rows of a history. Each list has its own limit; each table is read in one place. */
import type { Tx } from '@payonce/orders/database/transaction';
import { tradeKey } from '@payonce/orders/orders/trade-claim';
import { type ReportedCopiesRow, readReportedCopies } from '@payonce/orders/reports/copy-rows';
import type { Prisma } from '@payonce/prisma/client';
import { TIMELINE_LISTS } from '../schemas/timeline.js';
import { type AuditRow, eventInclude } from './audit-log.js';
import { type Received, withReceived } from './received.js';

/**
 * Rows of each list of one order: more than any honest order collects, and still one page of JSON.
 */
export const MAX_ROWS = 200;
/** A delivery is tried some ten times, over days. */
const MAX_ATTEMPTS = 1_000;

const withoutBytes = { body: true, headers: true } as const;
/** One more than is shown: it tells that there are more. */
const firstRows = { orderBy: { id: 'asc' }, take: MAX_ROWS + 1 } as const;

export type NotificationRow = Prisma.NotificationGetPayload<{ omit: typeof withoutBytes }> &
  Received;
export type EventRow = Prisma.NotificationEventGetPayload<object>;
export type FactRow = Prisma.FactGetPayload<object>;
export type OrderEventRow = Prisma.OrderEventGetPayload<{ omit: { payload: true } }>;
export type DeliveryRow = Prisma.DeliveryGetPayload<object>;
export type AttemptRow = Prisma.DeliveryAttemptGetPayload<{ omit: { response: true } }>;

export function readEventRows(
  tx: Tx,
  where: Prisma.NotificationEventWhereInput,
): Promise<EventRow[]> {
  return tx.notificationEvent.findMany({ where, ...firstRows });
}

export function readFactRows(tx: Tx, orderId: bigint): Promise<FactRow[]> {
  return tx.fact.findMany({ where: { orderId }, ...firstRows });
}

export function readOrderEventRows(
  tx: Tx,
  where: Prisma.OrderEventWhereInput,
): Promise<OrderEventRow[]> {
  return tx.orderEvent.findMany({ where, omit: { payload: true }, ...firstRows });
}

export function readAuditRows(tx: Tx, where: Prisma.AuditLogWhereInput): Promise<AuditRow[]> {
  return tx.auditLog.findMany({ where, include: eventInclude, ...firstRows });
}

/** The trades that an order claimed; one that was released and reinstated is in both tables. */
export async function readTradeRows(tx: Tx, orderId: bigint) {
  const where = { orderId };
  const page = { orderBy: { createdAt: 'asc' }, take: MAX_ROWS + 1 } as const;
  const first = await tx.trade.findMany({ where, ...page });
  const claimed = await tx.tradeClaim.findMany({ where, ...page });
  const rows = [...first, ...claimed];
  return [...new Map(rows.map((row) => [tradeKey(row), row])).values()];
}

export interface TimelineRows {
  readonly notifications: readonly NotificationRow[];
  readonly events: readonly EventRow[];
  readonly copies: readonly ReportedCopiesRow[];
  readonly facts: readonly FactRow[];
  readonly orderEvents: readonly OrderEventRow[];
  readonly deliveries: readonly DeliveryRow[];
  readonly attempts: readonly AttemptRow[];
  readonly audit: readonly AuditRow[];
  /** Names by endpoint. */
  readonly endpoints: ReadonlyMap<bigint, string>;
  readonly truncated: readonly (typeof TIMELINE_LISTS)[number][];
}

/** All rows that belong to these events and this order. */
export async function readTimelineRows(
  tx: Tx,
  where: Prisma.NotificationEventWhereInput,
  orderId: bigint | null,
): Promise<TimelineRows> {
  const events = await readEventRows(tx, where);
  const { notifications, copies } = await readReceived(tx, events.slice(0, MAX_ROWS));
  const facts = orderId === null ? [] : await readFactRows(tx, orderId);
  const ofEvents = { notificationEventId: { in: events.map(({ id }) => id) } };
  const ofOrder = orderId === null ? [] : [{ orderId }];
  const orderEvents = await readOrderEventRows(tx, { OR: [ofEvents, ...ofOrder] });
  const { deliveries, attempts, endpoints } = await readSent(tx, orderEvents);
  const ofDeliveries = { deliveryId: { in: deliveries.map(({ id }) => id) } };
  const audit = await readAuditRows(tx, { OR: [ofEvents, ofDeliveries, ...ofOrder] });
  const lists = { notifications: events, copies, facts, orderEvents, deliveries, audit };
  return {
    notifications,
    events: events.slice(0, MAX_ROWS),
    copies: copies.slice(0, MAX_ROWS),
    facts: facts.slice(0, MAX_ROWS),
    orderEvents: orderEvents.slice(0, MAX_ROWS),
    deliveries: deliveries.slice(0, MAX_ROWS),
    attempts: attempts.slice(0, MAX_ATTEMPTS),
    audit: audit.slice(0, MAX_ROWS),
    endpoints,
    truncated: TIMELINE_LISTS.filter((list) =>
      list === 'attempts' ? attempts.length > MAX_ATTEMPTS : lists[list].length > MAX_ROWS,
    ),
  };
}

/** The notifications of these events, and the copies of them that gateways reported. */
async function readReceived(tx: Tx, events: readonly EventRow[]) {
  const ids = [...new Set(events.map((row) => row.notificationRowId))];
  const stored = await tx.notification.findMany({
    where: { id: { in: ids } },
    omit: withoutBytes,
    orderBy: { id: 'asc' },
  });
  const copies = await readReportedCopies(tx, ids, MAX_ROWS + 1);
  return { notifications: await withReceived(tx, stored), copies };
}

/** The deliveries of these order events, with their attempts and the names of their endpoints. */
async function readSent(tx: Tx, orderEvents: readonly OrderEventRow[]) {
  const deliveries = await tx.delivery.findMany({
    where: { orderEventId: { in: orderEvents.map(({ id }) => id) } },
    ...firstRows,
  });
  const attempts = await tx.deliveryAttempt.findMany({
    where: { deliveryId: { in: deliveries.map(({ id }) => id) } },
    omit: { response: true },
    orderBy: { id: 'asc' },
    take: MAX_ATTEMPTS + 1,
  });
  const named = await tx.webhookEndpoint.findMany({
    where: { id: { in: [...new Set(deliveries.map((row) => row.endpointId))] } },
    select: { id: true, name: true },
  });
  const endpoints = new Map(named.map(({ id, name }) => [id, name]));
  return { deliveries, attempts, endpoints };
}
