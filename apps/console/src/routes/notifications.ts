import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { aboutEvent } from '../api/audit-views.js';
import {
  between,
  channel,
  holdReason,
  line,
  merchant,
  OUTCOMES,
  orderNumber,
  page,
  pageOf,
  rowId,
  time,
} from '../api/fields.js';
import {
  notificationDetailView,
  notificationView,
  viewOfNotification,
  viewOfNotificationDetail,
} from '../api/notification-views.js';
import { problem, problemSchema, sendProblem } from '../plugins/problems.js';
import { withinSeconds } from '../reads/within-seconds.js';

/** A combined order has at most 50 sub-orders at WeChat Pay; a bound, not a page. */
const MAX_EVENTS = 100;
/** A person's patience ends long before. */
const MAX_AUDIT = 200;

export const unknownNotification = problem(
  404,
  'unknown_notification',
  'There is no such notification.',
);

const listQuery = z.strictObject({
  ...page,
  merchant: merchant.optional(),
  channel: channel.optional(),
  /** The provider's own. */
  notificationId: line(200).optional(),
  receivedFrom: time.optional(),
  receivedTo: time.optional(),
  /** These three speak of one event: held *for this reason* and *for this order*. */
  outcome: z.enum(OUTCOMES).optional(),
  holdReason: holdReason.optional(),
  orderNumber: orderNumber.optional(),
});

export async function notificationRoutes(
  instance: FastifyInstance,
  { prisma }: { prisma: PrismaClient },
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const events = { orderBy: { position: 'asc' }, take: MAX_EVENTS } as const;

  app.get(
    '/notifications',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'listNotifications',
        summary: 'Notifications, newest first',
        tags: ['notifications'],

        querystring: listQuery,
        response: {
          200: z.object({
            notifications: z.array(notificationView),
            nextCursor: z.string().nullable(),
          }),
        },
      },
    },
    async ({ query }) => {
      const found = await withinSeconds(prisma, (tx) =>
        tx.notification.findMany({
          where: whereOf(query),
          omit: { body: true, headers: true },
          include: { events },
          orderBy: { id: 'desc' },
          take: query.limit + 1,
        }),
      );
      const { rows, nextCursor } = pageOf(found, query.limit);
      return { notifications: rows.map(viewOfNotification), nextCursor };
    },
  );

  app.get(
    '/notifications/:id',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'getNotification',
        summary: 'A notification as it came, masked',
        tags: ['notifications'],

        params: z.object({ id: rowId }),
        response: { 200: notificationDetailView, 404: problemSchema },
      },
    },
    async ({ params }, reply) => {
      const row = await prisma.notification.findUnique({
        where: { id: params.id },
        include: { events },
      });
      if (row === null) return sendProblem(reply, unknownNotification);
      const audit = await prisma.auditLog.findMany({
        where: { notificationEvent: { notificationRowId: row.id } },
        include: aboutEvent,
        orderBy: { id: 'asc' },
        take: MAX_AUDIT,
      });
      return viewOfNotificationDetail(row, audit);
    },
  );
}

function whereOf(query: z.output<typeof listQuery>): Prisma.NotificationWhereInput {
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
    ...(receivedAt && { receivedAt }),
    ...(Object.keys(event).length > 0 && { events: { some: event } }),
  };
}
