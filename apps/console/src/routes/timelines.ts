import type { PrismaClient } from '@payonce/prisma/client';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { rowId } from '../api/fields.js';
import { timelineView } from '../api/timeline-views.js';
import { problemSchema, sendProblem } from '../plugins/problems.js';
import { readNotificationTimeline, readOrderTimeline } from '../reads/timeline.js';
import { ofNotification, unknownNotification } from './notifications.js';
import { ofMerchant, ofOrder, orderParams, unknownOrder } from './orders.js';

/** The history of an order, or of one notification. */
export async function timelineRoutes(
  instance: FastifyInstance,
  { prisma }: { prisma: PrismaClient },
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const response = { 200: timelineView, 404: problemSchema };

  app.get(
    '/orders/:number/timeline',
    {
      config: { access: 'read', merchants: ofOrder },
      schema: {
        summary: 'Get the timeline of an order',
        tags: ['orders'],
        operationId: 'getOrderTimeline',
        params: orderParams,
        querystring: ofMerchant,
        response,
      },
    },
    async ({ params: { number }, query: { merchant } }, reply) =>
      (await readOrderTimeline(prisma, { merchant, number })) ?? sendProblem(reply, unknownOrder),
  );

  app.get(
    '/notifications/:id/timeline',
    {
      config: { access: 'read', merchants: ofNotification },
      schema: {
        summary: 'Get the timeline of a notification',
        tags: ['notifications'],
        operationId: 'getNotificationTimeline',
        params: z.object({ id: rowId }),
        response,
      },
    },
    async ({ params }, reply) =>
      (await readNotificationTimeline(prisma, params.id)) ??
      sendProblem(reply, unknownNotification),
  );
}
