import type { Tx } from '@payonce/orders/database/transaction';
import { readFacts } from '@payonce/orders/orders/fact-rows';
import { type OrderTrade, tradesOf } from '@payonce/orders/orders/order-trades';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import type { Timeline, TimelineEntry } from '../api/timeline-views.js';
import { type OrderRow, readRegistered } from './held-events.js';
import { type NotificationDetailRow, readNotification } from './notification-list.js';
import { entriesOf } from './timeline-entries.js';
import { inTimeOrder } from './timeline-order.js';
import { type NotificationRow, readRows, type TimelineRows } from './timeline-rows.js';

/** One snapshot, so that no entry is shown without its consequences. */
const SNAPSHOT = { isolationLevel: 'RepeatableRead' } as const satisfies {
  isolationLevel: Prisma.TransactionIsolationLevel;
};

interface OrderKey {
  readonly merchant: string;
  readonly number: string;
}

/**
 * The complete history of one order, in time order: copies, replies, decisions, facts, order
 * events, deliveries and people's actions.
 * @returns null for an unregistered order
 */
export function readOrderTimeline(prisma: PrismaClient, key: OrderKey): Promise<Timeline | null> {
  return prisma.$transaction(async (tx) => {
    const order = await findOrder(tx, key);
    return order && orderTimeline(tx, order);
  }, SNAPSHOT);
}

/** An order with its trades and its timeline, from one snapshot. */
export interface OrderWithTimeline {
  readonly order: OrderRow;
  readonly trades: readonly OrderTrade[];
  readonly timeline: Timeline;
}

/**
 * The data of an order's page.
 * @returns null for an unregistered order
 */
export function readOrderWithTimeline(
  prisma: PrismaClient,
  key: OrderKey,
): Promise<OrderWithTimeline | null> {
  return prisma.$transaction(async (tx) => {
    const order = await findOrder(tx, key);
    if (order === null) return null;
    const facts = (await readFacts(tx, [order.id])).get(order.id) ?? [];
    return { order, trades: tradesOf(facts), timeline: await orderTimeline(tx, order) };
  }, SNAPSHOT);
}

/**
 * The same for one notification, whether or not it found an order.
 * @returns null for an unknown notification
 */
export function readNotificationTimeline(
  prisma: PrismaClient,
  id: bigint,
): Promise<Timeline | null> {
  return prisma.$transaction((tx) => notificationTimeline(tx, id), SNAPSHOT);
}

/** A notification with its timeline and the registered orders that it names, from one snapshot. */
export interface NotificationWithTimeline {
  readonly notification: NotificationDetailRow;
  readonly orders: readonly OrderRow[];
  readonly timeline: Timeline;
}

/**
 * The data of a notification's page.
 * @returns null for an unknown notification
 */
export function readNotificationWithTimeline(
  prisma: PrismaClient,
  id: bigint,
): Promise<NotificationWithTimeline | null> {
  return prisma.$transaction(async (tx) => {
    const notification = await readNotification(tx, id);
    const timeline = await notificationTimeline(tx, id);
    if (notification === null || timeline === null) return null;
    return { notification, timeline, orders: await readRegistered(tx, notification.events) };
  }, SNAPSHOT);
}

function findOrder(tx: Tx, { merchant, number }: OrderKey): Promise<OrderRow | null> {
  return tx.order.findUnique({ where: { merchant_number: { merchant, number } } });
}

async function orderTimeline(tx: Tx, order: OrderRow): Promise<Timeline> {
  const registered: TimelineEntry = {
    kind: 'registered',
    at: order.createdAt.toISOString(),
    amount: order.amount.toString(),
    currency: order.currency,
  };
  const { merchant, number: orderNumber } = order;
  return timelineOf(await readRows(tx, { merchant, orderNumber }, order.id), [registered]);
}

async function notificationTimeline(tx: Tx, id: bigint): Promise<Timeline | null> {
  const rows = await readRows(tx, { notificationRowId: id }, null);
  // A stored notification has at least one event.
  return rows.events.length === 0 ? null : timelineOf(rows, []);
}

function timelineOf(rows: TimelineRows, more: readonly TimelineEntry[]): Timeline {
  return {
    entries: inTimeOrder([...more, ...entriesOf(rows)]),
    notifications: rows.notifications.map((row) => lineOf(row, rows)),
    truncated: [...rows.truncated],
  };
}

function lineOf(row: NotificationRow, { events }: TimelineRows): Timeline['notifications'][number] {
  const applied = events.some(
    (one) => one.notificationRowId === row.id && one.outcome === 'applied',
  );
  return {
    id: row.id.toString(),
    provider: row.provider,
    channel: row.channel,
    notificationId: row.notificationId,
    received: row.received,
    applied: applied ? 1 : 0,
    status: row.status,
  };
}
