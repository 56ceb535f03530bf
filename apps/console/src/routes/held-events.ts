import type { PrismaClient } from '@payonce/prisma/client';
import { z } from 'zod';
import { heldEventView, viewOfHeldEvent } from '../api/notification-views.js';
import type { TypedApp } from '../api/typed-app.js';
import { merchantsOf } from '../plugins/merchants.js';
import { readHeldEvents } from '../reads/held-events.js';
import { heldFilter } from '../reads/held-filter.js';
import { page } from '../schemas/fields.js';

export async function heldEventRoutes(
  api: TypedApp,
  { prisma }: { prisma: PrismaClient },
): Promise<void> {
  api.get(
    '/held-events',
    {
      config: { access: 'read', merchants: 'listed' },
      schema: {
        operationId: 'listHeldEvents',
        summary: 'List held events, newest first',
        tags: ['held events'],
        querystring: z.strictObject({ ...page, ...heldFilter }),
        response: {
          200: z.object({ events: z.array(heldEventView), nextCursor: z.string().nullable() }),
        },
      },
    },
    async (request) => {
      const { query } = request;
      const { rows, nextCursor } = await readHeldEvents(
        prisma,
        merchantsOf(request),
        query,
        query.limit,
      );
      return { events: rows.map(viewOfHeldEvent), nextCursor };
    },
  );
}
