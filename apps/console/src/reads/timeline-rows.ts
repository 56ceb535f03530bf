import type { Tx } from '@payonce/orders/database/transaction';
import { type ReportedCopiesRow, readReportedCopies } from '@payonce/orders/reports/copy-rows';
import type { Prisma } from '@payonce/prisma/client';
import { aboutEvent } from '../api/audit-views.js';
import { TIMELINE_LISTS } from '../api/timeline-views.js';
import { type Received, withReceived } from './received.js';

/**
 * Rows of each list of one order: more than any honest order collects, and still one page of JSON.
 */
const MAX_ROWS = 200;
/** A delivery is tried some ten times, over days. */
const MAX_ATTEMPTS = 1_000;

const withoutBytes = { body: true, headers: true } as const;
const byId = { orderBy: { id: 'asc' }, take: MAX_ROWS + 1 } as const;

export type NotificationRow = Prisma.NotificationGetPayload<{ omit: typeof withoutBytes }> &
  Received;
export type EventRow = Prisma.NotificationEventGetPayload<object>;
export type FactRow = Prisma.FactGetPayload<object>;
export type OrderEventRow = Prisma.OrderEventGetPayload<{ omit: { payload: true } }>;
export type DeliveryRow = Prisma.DeliveryGetPayload<object>;
export type AttemptRow = Prisma.DeliveryAttemptGetPayload<{ omit: { response: true } }>;
export type AuditRow = Prisma.AuditLogGetPayload<{ include: typeof aboutEvent }>;

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

/**
 * All rows that belong to these events and this order. Runs one query after the other: the
 * transaction has one connection.
 */
export async function readRows(
  tx: Tx,
  where: Prisma.NotificationEventWhereInput,
  orderId: bigint | null,
): Promise<TimelineRows> {
  const events = await tx.notificationEvent.findMany({ where, ...byId });
  const ids = [...new Set(events.slice(0, MAX_ROWS).map((row) => row.notificationRowId))];
  const stored = await tx.notification.findMany({
    where: { id: { in: ids } },
    omit: withoutBytes,
    orderBy: { id: 'asc' },
  });
  const notifications = await withReceived(tx, stored);
  const ofEvents = { notificationEventId: { in: events.map(({ id }) => id) } };
  const ofOrder = orderId === null ? [] : [{ orderId }];
  const copies = await readReportedCopies(tx, ids, MAX_ROWS + 1);
  const facts = orderId === null ? [] : await tx.fact.findMany({ where: { orderId }, ...byId });
  const orderEvents = await tx.orderEvent.findMany({
    where: { OR: [ofEvents, ...ofOrder] },
    omit: { payload: true },
    ...byId,
  });
  const deliveries = await tx.delivery.findMany({
    where: { orderEventId: { in: orderEvents.map(({ id }) => id) } },
    ...byId,
  });
  const ofDeliveries = { deliveryId: { in: deliveries.map(({ id }) => id) } };
  const attempts = await tx.deliveryAttempt.findMany({
    where: ofDeliveries,
    omit: { response: true },
    orderBy: { id: 'asc' },
    take: MAX_ATTEMPTS + 1,
  });
  const endpoints = await tx.webhookEndpoint.findMany({
    where: { id: { in: [...new Set(deliveries.map((row) => row.endpointId))] } },
    select: { id: true, name: true },
  });
  const audit = await tx.auditLog.findMany({
    where: { OR: [ofEvents, ofDeliveries, ...ofOrder] },
    include: aboutEvent,
    ...byId,
  });
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
    endpoints: new Map(endpoints.map(({ id, name }) => [id, name])),
    truncated: TIMELINE_LISTS.filter((list) =>
      list === 'attempts' ? attempts.length > MAX_ATTEMPTS : lists[list].length > MAX_ROWS,
    ),
  };
}
