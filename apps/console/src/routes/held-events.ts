import type { PrismaClient } from '@payonce/prisma/client';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { page, pageOf } from '../api/fields.js';
import { heldEventView, viewOfHeldEvent } from '../api/notification-views.js';
import { heldFilter, whereHeld } from '../reads/held-filter.js';
import { withinSeconds } from '../reads/within-seconds.js';

const about = {
  notification: { select: { provider: true, channel: true, notificationId: true } },
} as const;

export async function heldEventRoutes(
  instance: FastifyInstance,
  { prisma }: { prisma: PrismaClient },
): Promise<void> {
  instance.withTypeProvider<ZodTypeProvider>().get(
    '/held-events',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'listHeldEvents',
        summary: 'Events that are held, newest first',
        tags: ['held events'],
        querystring: z.strictObject({ ...page, ...heldFilter }),
        response: {
          200: z.object({ events: z.array(heldEventView), nextCursor: z.string().nullable() }),
        },
      },
    },
    async ({ query }) => {
      const found = await withinSeconds(prisma, (tx) =>
        tx.notificationEvent.findMany({
          where: { ...whereHeld(query), ...(query.cursor && { id: { lt: query.cursor } }) },
          include: about,
          orderBy: { id: 'desc' },
          take: query.limit + 1,
        }),
      );
      const { rows, nextCursor } = pageOf(found, query.limit);
      return { events: rows.map(viewOfHeldEvent), nextCursor };
    },
  );
}
