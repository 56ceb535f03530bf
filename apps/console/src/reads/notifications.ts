import type { Merchants } from '@payonce/orders/access/merchants';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { between, type OUTCOMES, pageOf } from '../schemas/fields.js';
import { type Received, withReceived } from './received.js';
import { whereMerchant } from './where-merchant.js';
import { withStatementTimeout } from './with-statement-timeout.js';

type Outcome = (typeof OUTCOMES)[number];

/** Empty fields do not filter. */
export interface NotificationQuery {
  readonly cursor?: bigint | undefined;
  readonly merchant?: string | undefined;
  readonly channel?: string | undefined;
  /** The provider's ID. */
  readonly notificationId?: string | undefined;
  readonly receivedFrom?: string | undefined;
  readonly receivedTo?: string | undefined;
  /** The status of the whole notification. */
  readonly status?: Outcome | '' | undefined;
  /** These three concern one event: held *for this reason* and *for this order*. */
  readonly outcome?: Outcome | undefined;
  readonly holdReason?: string | undefined;
  readonly orderNumber?: string | undefined;
}

/** A combined order has at most 50 sub-orders at WeChat Pay; a bound, not a page. */
const MAX_EVENTS = 100;
export const withEvents = {
  events: { orderBy: { position: 'asc' }, take: MAX_EVENTS },
} as const satisfies Prisma.NotificationInclude;
const listed = { omit: { body: true, headers: true }, include: withEvents } as const;

export type NotificationRow = Prisma.NotificationGetPayload<typeof listed> & Received;

/** Notifications of these merchants without their bytes, the newest first. */
export async function readNotifications(
  prisma: PrismaClient,
  merchants: Merchants,
  query: NotificationQuery,
  limit: number,
) {
  const found = await withStatementTimeout(prisma, (tx) =>
    tx.notification.findMany({
      where: { ...whereOf(query), ...whereMerchant(merchants) },
      select: { id: true },
      orderBy: { id: 'desc' },
      take: limit + 1,
    }),
  );
  const { rows, nextCursor } = pageOf(found, limit);
  const notifications = await prisma.notification.findMany({
    where: { id: { in: rows.map(({ id }) => id) } },
    ...listed,
    orderBy: { id: 'desc' },
  });
  return { rows: await withReceived(prisma, notifications), nextCursor };
}

function whereOf(query: NotificationQuery): Prisma.NotificationWhereInput {
  const event: Prisma.NotificationEventWhereInput = {
    ...(query.outcome && { outcome: query.outcome }),
    ...(query.holdReason && { holdReason: query.holdReason }),
    ...(query.orderNumber && { orderNumber: query.orderNumber }),
  };
  const receivedAt = between(query.receivedFrom, query.receivedTo);
  return {
    ...(query.cursor && { id: { lt: query.cursor } }),
    ...(query.merchant && { merchant: query.merchant }),
    ...(query.channel && { channel: query.channel }),
    ...(query.notificationId && { notificationId: query.notificationId }),
    ...(query.status && { status: query.status }),
    ...(receivedAt && { receivedAt }),
    ...(Object.keys(event).length > 0 && { events: { some: event } }),
  };
}
