import type { TypedApp } from '../api/typed-app.js';
import { type Stats, statsView } from '../schemas/stats.js';

export async function statsRoutes(
  api: TypedApp,
  { readStats }: { readStats: () => Promise<Stats> },
): Promise<void> {
  api.get(
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
