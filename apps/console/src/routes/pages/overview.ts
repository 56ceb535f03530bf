import type { FastifyInstance } from 'fastify';
import type { Stats } from '../../api/stats-views.js';
import { overviewPage } from '../../pages/overview.js';
import { sendPage, viewOf } from '../../pages/view.js';

/** @param options.readStats shared with everybody who looks: it reads at most once a second */
export async function overviewRoute(
  app: FastifyInstance,
  { readStats }: { readStats: () => Promise<Stats> },
): Promise<void> {
  app.get('/', async (request, reply) =>
    sendPage(reply, overviewPage(viewOf(request), await readStats())),
  );
}
