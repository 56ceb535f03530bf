import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import type { Timeline, TimelineEntry } from '../api/timeline-views.js';
import { entriesOf, receivedOf } from './timeline-entries.js';
import { inTimeOrder } from './timeline-order.js';
import { type NotificationRow, readRows, type TimelineRows } from './timeline-rows.js';

/** One snapshot, so that no entry is shown without its consequences. */
const SNAPSHOT = { isolationLevel: 'RepeatableRead' } as const satisfies {
  isolationLevel: Prisma.TransactionIsolationLevel;
};

/**
 * The complete history of one order, in time order: copies, replies, decisions, facts, order
 * events, deliveries and people's actions.
 * @returns null for an unregistered order
 */
export function readOrderTimeline(
  prisma: PrismaClient,
  { merchant, number }: { readonly merchant: string; readonly number: string },
): Promise<Timeline | null> {
  return prisma.$transaction(async (tx) => {
    const order = await tx.order.findUnique({ where: { merchant_number: { merchant, number } } });
    if (order === null) return null;
    const registered: TimelineEntry = {
      kind: 'registered',
      at: order.createdAt.toISOString(),
      amount: order.amount.toString(),
      currency: order.currency,
    };
    const rows = await readRows(tx, { merchant, orderNumber: number }, order.id);
    return timelineOf(rows, [registered]);
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
  return prisma.$transaction(async (tx) => {
    const rows = await readRows(tx, { notificationRowId: id }, null);
    // A notification is stored with at least one event.
    return rows.events.length === 0 ? null : timelineOf(rows, []);
  }, SNAPSHOT);
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
    received: receivedOf(row),
    applied: applied ? 1 : 0,
    status: row.status,
  };
}
