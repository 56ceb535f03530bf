import { writeAudit } from '@payonce/orders/database/audit';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { inTransaction } from '@payonce/orders/database/transaction';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { rowId } from '../api/fields.js';
import { rawNotificationView, viewOfRaw } from '../api/notification-views.js';
import { actorOf } from '../plugins/auth.js';
import { problemSchema, sendProblem } from '../plugins/problems.js';
import { ofNotification, unknownNotification } from './notifications.js';

/**
 * The only place where received bytes leave unmasked: for administrators, and each look is
 * recorded.
 */
export async function rawNotificationRoutes(
  instance: FastifyInstance,
  deps: DatabaseDeps,
): Promise<void> {
  instance.withTypeProvider<ZodTypeProvider>().get(
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
      const operator = { actor: actorOf(request).name, reason: null };
      const row = await inTransaction(deps, async (tx) => {
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
        await writeAudit(tx, deps.clock(), operator, {
          action: 'notification.view_raw',
          notificationEventId: event.id,
          detail: {},
        });
        return found;
      });
      if (row === null) return sendProblem(reply, unknownNotification);
      // No cache may store it.
      return reply.header('cache-control', 'no-store').send(viewOfRaw(row));
    },
  );
}
