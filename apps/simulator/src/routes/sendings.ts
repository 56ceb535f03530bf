import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Sendings } from '../sendings.js';
import { faultsOf } from './faults.js';

const query = z.strictObject({
  orderNumber: z.string().exactOptional(),
  notificationId: z.string().exactOptional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

/** `GET /sendings`: the last sendings, the latest first. */
export async function sendingsRoutes(app: FastifyInstance, { sendings }: { sendings: Sendings }) {
  app.get('/sendings', async (request, reply) => {
    const filter = query.safeParse(request.query);
    if (!filter.success) return reply.code(400).send(faultsOf(filter.error));
    return { sendings: sendings.list(filter.data) };
  });
}
