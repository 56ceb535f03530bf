import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { type OUTCOMES, pageOf } from '../api/fields.js';
import { withinSeconds } from './within-seconds.js';

export interface NotificationQuery {
  readonly outcome: (typeof OUTCOMES)[number] | '';
  readonly channel: string;
  readonly orderNumber: string;
  readonly notificationId: string;
  readonly cursor: bigint | undefined;
}

/** More than any combined order has. */
const MAX_EVENTS = 100;
const withEvents = {
  omit: { body: true, headers: true },
  include: { events: { orderBy: { position: 'asc' }, take: MAX_EVENTS } },
} as const;

export type NotificationRow = Prisma.NotificationGetPayload<typeof withEvents>;

/** Notifications without their bytes, the newest first. */
export async function readNotifications(
  prisma: PrismaClient,
  query: NotificationQuery,
  limit: number,
) {
  const found = await withinSeconds(prisma, (tx) =>
    tx.notification.findMany({
      where: {
        ...(query.cursor && { id: { lt: query.cursor } }),
        ...(query.outcome && { status: query.outcome }),
        ...(query.channel && { channel: query.channel }),
        ...(query.notificationId && { notificationId: query.notificationId }),
        ...(query.orderNumber && { events: { some: { orderNumber: query.orderNumber } } }),
      },
      select: { id: true },
      orderBy: { id: 'desc' },
      take: limit + 1,
    }),
  );
  const { rows, nextCursor } = pageOf(found, limit);
  const notifications = await prisma.notification.findMany({
    where: { id: { in: rows.map(({ id }) => id) } },
    ...withEvents,
    orderBy: { id: 'desc' },
  });
  return { rows: notifications, nextCursor };
}

/** One with its bytes, to be masked before anybody sees them. */
export function readNotification(prisma: PrismaClient, id: bigint) {
  return prisma.notification.findUnique({
    where: { id },
    include: { events: { orderBy: { position: 'asc' }, take: MAX_EVENTS } },
  });
}
export type NotificationDetailRow = NonNullable<Awaited<ReturnType<typeof readNotification>>>;
