import type { DatabaseDeps } from '@payonce/orders/database/deps';
import type { FastifyError, FastifyInstance } from 'fastify';
import { problemOf } from '../api/problems.js';
import { isFromOurForm, takeForms } from '../plugins/forms.js';
import { oldForm, sendRefusal } from '../plugins/page-errors.js';
import type { Stats } from '../schemas/stats.js';
import { auditPageRoutes } from './audit.js';
import { deadLetterPageRoutes } from './dead-letter.js';
import { deadLettersPageRoutes } from './dead-letters.js';
import { decidePageRoutes } from './decide.js';
import { deliveriesPageRoutes } from './deliveries.js';
import { deliveryPageRoutes } from './delivery.js';
import { endpointDisableRoutes } from './endpoint-disable.js';
import { endpointsPageRoutes } from './endpoints.js';
import { heldPageRoutes } from './held.js';
import { languageRoute } from './language.js';
import { notificationPageRoutes } from './notification.js';
import { notificationsPageRoutes } from './notifications.js';
import { orderPageRoutes } from './order.js';
import { ordersPageRoutes } from './orders.js';
import { overviewRoute } from './overview.js';
import { tradePageRoutes } from './trade.js';

/** Every page for people except the login. Each form must contain the token of its session. */
export async function pageRoutes(
  app: FastifyInstance,
  options: DatabaseDeps & { readonly readStats: () => Promise<Stats> },
): Promise<void> {
  const { prisma, clock, log, readStats } = options;
  const deps = { prisma, clock, log };
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
  await app.register(overviewRoute, { clock, readStats });
  await app.register(heldPageRoutes, deps);
  await app.register(decidePageRoutes, deps);
  await app.register(ordersPageRoutes, deps);
  await app.register(orderPageRoutes, deps);
  await app.register(tradePageRoutes, deps);
  await app.register(notificationsPageRoutes, deps);
  await app.register(notificationPageRoutes, deps);
  await app.register(deliveriesPageRoutes, deps);
  await app.register(deliveryPageRoutes, deps);
  await app.register(endpointsPageRoutes, deps);
  await app.register(endpointDisableRoutes, deps);
  await app.register(deadLettersPageRoutes, deps);
  await app.register(deadLetterPageRoutes, deps);
  await app.register(auditPageRoutes, deps);
}
