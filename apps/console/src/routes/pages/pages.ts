import type { DatabaseDeps } from '@payonce/core/database/deps';
import type { Log } from '@payonce/core/log';
import type { FastifyError, FastifyInstance } from 'fastify';
import type { Stats } from '../../api/stats-views.js';
import type { Sessions } from '../../auth/sessions.js';
import { createLiveHub } from '../../live/hub.js';
import { isFromOurForm, takeForms } from '../../plugins/forms.js';
import { oldForm, sendRefusal } from '../../plugins/page-errors.js';
import { problemOf } from '../../plugins/problems.js';
import { createReadChangeTokens } from '../../reads/change-tokens.js';
import { auditPageRoutes } from './audit.js';
import { deadLetterPageRoutes } from './dead-letters.js';
import { deliveryPageRoutes } from './deliveries.js';
import { endpointPageRoutes } from './endpoints.js';
import { heldPageRoutes } from './held.js';
import { heldActionRoutes } from './held-actions.js';
import { languageRoute } from './language.js';
import { liveRoute } from './live.js';
import { notificationPageRoutes } from './notifications.js';
import { orderPageRoutes } from './orders.js';
import { overviewRoute } from './overview.js';
import { tradePageRoutes } from './trades.js';

/** Every page for people except the login. Each form must contain the token of its session. */
export async function pageRoutes(
  app: FastifyInstance,
  options: DatabaseDeps & {
    readonly log: Log;
    readonly sessions: Sessions;
    readonly sessionCookie: string;
    readonly readStats: () => Promise<Stats>;
  },
): Promise<void> {
  const { prisma, clock, log, sessions, sessionCookie, readStats } = options;
  const deps = { prisma, clock, log };
  const hub = createLiveHub(createReadChangeTokens(prisma, clock), log);
  takeForms(app);
  app.addHook('preHandler', async (request, reply) => {
    if (request.method !== 'POST' || request.session === null) return;
    if (isFromOurForm(request, request.session.formToken)) return;
    return sendRefusal(request, reply, oldForm);
  });
  app.setErrorHandler((error: FastifyError, request, reply) =>
    sendRefusal(request, reply, problemOf(error, request, reply)),
  );
  await app.register(languageRoute);
  await app.register(liveRoute, { prisma, hub, sessions, sessionCookie });
  await app.register(overviewRoute, { readStats });
  await app.register(heldPageRoutes, deps);
  await app.register(heldActionRoutes, deps);
  await app.register(orderPageRoutes, deps);
  await app.register(tradePageRoutes, deps);
  await app.register(notificationPageRoutes, deps);
  await app.register(deliveryPageRoutes, deps);
  await app.register(endpointPageRoutes, deps);
  await app.register(deadLetterPageRoutes, deps);
  await app.register(auditPageRoutes, deps);
}
