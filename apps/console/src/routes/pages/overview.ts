import type { FastifyInstance } from 'fastify';
import type { Stats } from '../../api/stats-views.js';
import { overviewPage } from '../../pages/overview.js';
import { contextOf, sendPage, sessionOf } from '../../pages/page-context.js';

/** @param options.readStats shared by all watchers: it reads at most once a second */
export async function overviewRoute(
  app: FastifyInstance,
  { readStats }: { readStats: () => Promise<Stats> },
): Promise<void> {
  // Everybody's first page; its figures cover all merchants.
  app.get('/', { config: { merchants: 'none' } }, async (request, reply) => {
    if (sessionOf(request).merchants !== 'all') return reply.redirect('/orders', 303);
    return sendPage(reply, overviewPage(contextOf(request), await readStats()));
  });
}
