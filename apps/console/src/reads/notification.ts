import { writeAudit } from '@payonce/orders/database/audit';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { inTransaction, type Tx } from '@payonce/orders/database/transaction';
import type { PrismaClient } from '@payonce/prisma/client';
import { maskBody } from '../masking/body.js';
import { maskHeaders } from '../masking/fields.js';
import type { Timeline } from '../schemas/timeline.js';
import { type OrderRow, readRegistered } from './held-events.js';
import { MAX_ROWS, readAuditRows, readTimelineRows } from './history-rows.js';
import { inSnapshot } from './in-snapshot.js';
import { withEvents } from './notifications.js';
import { withReceived } from './received.js';
import { timelineOf } from './timeline.js';

/** One with its headers and body, masked; null when there is none. */
async function findNotification(tx: Tx, id: bigint) {
  const row = await tx.notification.findUnique({ where: { id }, include: withEvents });
  const [found] = row === null ? [] : await withReceived(tx, [row]);
  if (found === undefined) return null;
  const body = maskBody(found.provider, Buffer.from(found.body));
  return { ...found, headers: maskHeaders(found.headers), body };
}
export type NotificationDetailRow = NonNullable<Awaited<ReturnType<typeof findNotification>>>;

/** One notification, masked, with the operators' actions on its events; null when unknown. */
export function readNotification(prisma: PrismaClient, id: bigint) {
  return inSnapshot(prisma, async (tx) => {
    const notification = await findNotification(tx, id);
    if (notification === null) return null;
    const where = { notificationEvent: { notificationRowId: id } };
    const audit = await readAuditRows(tx, where);
    return { notification, audit: audit.slice(0, MAX_ROWS) };
  });
}

/**
 * The history of one notification, whether or not it found an order.
 * @returns null for an unknown notification
 */
export function readNotificationTimeline(
  prisma: PrismaClient,
  id: bigint,
): Promise<Timeline | null> {
  return inSnapshot(prisma, (tx) => notificationTimeline(tx, id));
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
  return inSnapshot(prisma, async (tx) => {
    const notification = await findNotification(tx, id);
    const timeline = await notificationTimeline(tx, id);
    if (notification === null || timeline === null) return null;
    return { notification, timeline, orders: await readRegistered(tx, notification.events) };
  });
}

async function notificationTimeline(tx: Tx, id: bigint): Promise<Timeline | null> {
  const rows = await readTimelineRows(tx, { notificationRowId: id }, null);
  // A stored notification has at least one event.
  return rows.events.length === 0 ? null : timelineOf(rows, []);
}

/**
 * The only read of received bytes without a mask. Writes an audit row with it.
 * @returns null for an unknown notification
 */
export function readRawNotification(deps: DatabaseDeps, actor: string, id: bigint) {
  return inTransaction(deps, async (tx) => {
    const found = await tx.notification.findUnique({
      where: { id },
      select: { id: true, headers: true, body: true, purgedAt: true },
    });
    // A notification is stored with its events; the audit row names the first.
    const event = await tx.notificationEvent.findFirst({
      where: { notificationRowId: id },
      orderBy: { position: 'asc' },
      select: { id: true },
    });
    if (found === null || event === null) return null;
    await writeAudit(
      tx,
      deps.clock(),
      { actor, reason: null },
      {
        action: 'notification.view_raw',
        notificationEventId: event.id,
        detail: {},
      },
    );
    return found;
  });
}
