import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { z } from 'zod';
import { problemSchema, sendProblem } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { readNotificationTimeline } from '../reads/notification.js';
import { readOrderTimeline } from '../reads/order.js';
import { rowId } from '../schemas/fields.js';
import { timelineView } from '../schemas/timeline.js';
import { ofNotification, unknownNotification } from './notifications.js';
import { ofMerchant, ofOrder, orderParams, unknownOrder } from './orders.js';

const response = { 200: timelineView, 404: problemSchema };

/** The history of an order, or of one notification. */
export async function timelineRoutes(api: TypedApp, deps: DatabaseDeps): Promise<void> {
  getOrderTimeline(api, deps);
  getNotificationTimeline(api, deps);
}

function getOrderTimeline(api: TypedApp, deps: DatabaseDeps): void {
  api.get(
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
      (await readOrderTimeline(deps.prisma, { merchant, number })) ??
      sendProblem(reply, unknownOrder),
  );
}

function getNotificationTimeline(api: TypedApp, deps: DatabaseDeps): void {
  api.get(
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
      (await readNotificationTimeline(deps.prisma, params.id)) ??
      sendProblem(reply, unknownNotification),
  );
}
