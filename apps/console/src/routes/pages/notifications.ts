import type { DatabaseDeps } from '@payonce/core/database/deps';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { OUTCOMES, rowId } from '../../api/fields.js';
import { notificationPage } from '../../pages/notification.js';
import { notificationsPage } from '../../pages/notifications.js';
import { contextOf, sendPage } from '../../pages/page-context.js';
import { choiceIn, cursorIn, textIn } from '../../pages/query.js';
import { merchantsOf } from '../../plugins/merchants.js';
import { sendRefusal } from '../../plugins/page-errors.js';
import { readNotifications } from '../../reads/notification-list.js';
import { readNotificationWithTimeline } from '../../reads/timeline.js';
import { ofNotification, unknownNotification } from '../notifications.js';

const ROWS = 50;
const params = z.object({ id: rowId });

export async function notificationPageRoutes(
  instance: FastifyInstance,
  { prisma }: DatabaseDeps,
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();

  app.get('/notifications', { config: { merchants: 'listed' } }, async (request, reply) => {
    const query = {
      status: choiceIn(request, 'outcome', OUTCOMES),
      channel: textIn(request, 'channel'),
      orderNumber: textIn(request, 'order'),
      notificationId: textIn(request, 'notification'),
      cursor: cursorIn(request),
    };
    const page = await readNotifications(prisma, merchantsOf(request), query, ROWS);
    return sendPage(reply, notificationsPage(contextOf(request), query, page));
  });

  const one = { config: { merchants: ofNotification }, schema: { params } };
  app.get('/notifications/:id', one, async (request, reply) => {
    const found = await readNotificationWithTimeline(prisma, request.params.id);
    if (found === null) return sendRefusal(request, reply, unknownNotification);
    const { notification, timeline, orders } = found;
    const page = notificationPage(contextOf(request), notification, timeline, (event) =>
      orders.some(
        ({ merchant, number }) => merchant === event.merchant && number === event.orderNumber,
      ),
    );
    return sendPage(reply, page);
  });
}
