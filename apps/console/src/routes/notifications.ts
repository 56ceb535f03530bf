import type { PrismaClient } from '@payonce/prisma/client';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { eventInclude } from '../api/audit-views.js';
import {
  channel,
  holdReason,
  line,
  merchant,
  OUTCOMES,
  orderNumber,
  page,
  rowId,
  time,
} from '../api/fields.js';
import {
  notificationDetailView,
  notificationView,
  viewOfNotification,
  viewOfNotificationDetail,
} from '../api/notification-views.js';
import { merchantsOf } from '../plugins/merchants.js';
import { problem, problemSchema, sendProblem } from '../plugins/problems.js';
import { readNotification, readNotifications } from '../reads/notification-list.js';

/** A person's patience ends long before. */
const MAX_AUDIT = 200;

export const unknownNotification = problem(
  404,
  'unknown_notification',
  'There is no such notification.',
);

/** One notification, by `:id`. */
export const ofNotification = { row: 'notification', unknown: unknownNotification } as const;

const listQuery = z.strictObject({
  ...page,
  merchant: merchant.optional(),
  channel: channel.optional(),
  /** The provider's ID. */
  notificationId: line(200).optional(),
  receivedFrom: time.optional(),
  receivedTo: time.optional(),
  /** These three concern one event: held *for this reason* and *for this order*. */
  outcome: z.enum(OUTCOMES).optional(),
  holdReason: holdReason.optional(),
  orderNumber: orderNumber.optional(),
});

export async function notificationRoutes(
  instance: FastifyInstance,
  { prisma }: { prisma: PrismaClient },
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();

  app.get(
    '/notifications',
    {
      config: { access: 'read', merchants: 'listed' },
      schema: {
        operationId: 'listNotifications',
        summary: 'List notifications, newest first',
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
    async (request) => {
      const { query } = request;
      const { rows, nextCursor } = await readNotifications(
        prisma,
        merchantsOf(request),
        query,
        query.limit,
      );
      return { notifications: rows.map(viewOfNotification), nextCursor };
    },
  );

  app.get(
    '/notifications/:id',
    {
      config: { access: 'read', merchants: ofNotification },
      schema: {
        operationId: 'getNotification',
        summary: 'Get a notification, masked',
        tags: ['notifications'],

        params: z.object({ id: rowId }),
        response: { 200: notificationDetailView, 404: problemSchema },
      },
    },
    async ({ params }, reply) => {
      const row = await readNotification(prisma, params.id);
      if (row === null) return sendProblem(reply, unknownNotification);
      const audit = await prisma.auditLog.findMany({
        where: { notificationEvent: { notificationRowId: row.id } },
        include: eventInclude,
        orderBy: { id: 'asc' },
        take: MAX_AUDIT,
      });
      return viewOfNotificationDetail(row, audit);
    },
  );
}
