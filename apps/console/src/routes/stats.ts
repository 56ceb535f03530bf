import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { type Stats, statsView } from '../api/stats-views.js';

export async function statsRoutes(
  instance: FastifyInstance,
  { readStats }: { readStats: () => Promise<Stats> },
): Promise<void> {
  instance.withTypeProvider<ZodTypeProvider>().get(
    '/stats',
    {
      config: { access: 'read', merchants: 'all' },
      schema: {
        summary:
          'Get the overview: traffic of the last hour, backlog, latencies, gateways and stores',
        tags: ['stats'],
        operationId: 'getStats',
        response: { 200: statsView },
      },
    },
    () => readStats(),
  );
}
