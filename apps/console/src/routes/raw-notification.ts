import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { z } from 'zod';
import { rawNotificationView, viewOfRaw } from '../api/notification-views.js';
import { problemSchema, sendProblem } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { actorOf } from '../plugins/auth.js';
import { readRawNotification } from '../reads/notification.js';
import { rowId } from '../schemas/fields.js';
import { ofNotification, unknownNotification } from './notifications.js';

/**
 * The only place where received bytes leave unmasked: for administrators, and each look is
 * recorded.
 */
export async function rawNotificationRoutes(api: TypedApp, deps: DatabaseDeps): Promise<void> {
  api.get(
    '/notifications/:id/raw',
    {
      config: { access: 'admin', merchants: ofNotification },
      schema: {
        operationId: 'getRawNotification',
        summary: 'Get a notification as received, unmasked; writes an audit row',
        tags: ['notifications'],
        params: z.object({ id: rowId }),
        response: { 200: rawNotificationView, 404: problemSchema },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const row = await readRawNotification(deps, actorOf(request).name, id);
      if (row === null) return sendProblem(reply, unknownNotification);
      // No cache may store it.
      return reply.header('cache-control', 'no-store').send(viewOfRaw(row));
    },
  );
}
