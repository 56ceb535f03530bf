import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { z } from 'zod';
import {
  notificationDetailView,
  notificationView,
  viewOfNotification,
  viewOfNotificationDetail,
} from '../api/notification-views.js';
import { problem, problemSchema, sendProblem } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { merchantsOf } from '../plugins/merchants.js';
import { readNotification } from '../reads/notification.js';
import { readNotifications } from '../reads/notifications.js';
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
} from '../schemas/fields.js';

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

export async function notificationRoutes(api: TypedApp, deps: DatabaseDeps): Promise<void> {
  listNotifications(api, deps);
  getNotification(api, deps);
}

function listNotifications(api: TypedApp, deps: DatabaseDeps): void {
  api.get(
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
        deps.prisma,
        merchantsOf(request),
        query,
        query.limit,
      );
      return { notifications: rows.map(viewOfNotification), nextCursor };
    },
  );
}

function getNotification(api: TypedApp, deps: DatabaseDeps): void {
  api.get(
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
      const found = await readNotification(deps.prisma, params.id);
      return found === null
        ? sendProblem(reply, unknownNotification)
        : viewOfNotificationDetail(found.notification, found.audit);
    },
  );
}
