import cookie from '@fastify/cookie';
import rateLimit from '@fastify/rate-limit';
import type { Clock } from '@payonce/core/runtime/clock';
import type { Log } from '@payonce/core/runtime/log';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { createAddressPolicy } from '@payonce/orders/endpoints/networks';
import type { PrismaClient } from '@payonce/prisma/client';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { nothingHere, respondWithProblems } from './api/problems.js';
import { createBearerCheck } from './auth/bearer.js';
import { createLoginCheck } from './auth/secrets.js';
import { createSessions } from './auth/sessions.js';
import type { Backlog } from './backlog.js';
import type { ConsoleConfig } from './config.js';
import { loginRoutes } from './pages/login.js';
import { pageRoutes } from './pages/pages.js';
import { showApiDocs } from './plugins/api-docs.js';
import { assetRoutes } from './plugins/assets.js';
import { cookieNames, guardEverything } from './plugins/auth.js';
import { BOARD_PATH, type Board } from './plugins/bull-board.js';
import { refuseAddress, refuseBrokenHttp } from './plugins/http-errors.js';
import { honourIdempotencyKeys } from './plugins/idempotency.js';
import { guardMerchants } from './plugins/merchants.js';
import { describeApi } from './plugins/openapi.js';
import { sendRefusal } from './plugins/page-errors.js';
import { refuseUnsafeWrites } from './plugins/refuse-unsafe-writes.js';
import { addSecurityHeaders } from './plugins/security-headers.js';
import { createFindSession } from './plugins/session-user.js';
import { createStats } from './reads/stats.js';
import { apiKeyRoutes } from './routes/api-keys.js';
import { auditRoutes } from './routes/audit.js';
import { channelRoutes } from './routes/channels.js';
import { deadLetterRoutes } from './routes/dead-letters.js';
import { deliveryRoutes } from './routes/deliveries.js';
import { endpointSwitchRoutes } from './routes/endpoint-switch.js';
import { endpointRoutes } from './routes/endpoints.js';
import { heldEventActionRoutes } from './routes/held-event-actions.js';
import { heldEventRoutes } from './routes/held-events.js';
import { heldPlanRoutes } from './routes/held-plan.js';
import { notificationRoutes } from './routes/notifications.js';
import { openApiRoutes } from './routes/openapi.js';
import { orderEventRoutes } from './routes/order-events.js';
import { orderRoutes } from './routes/orders.js';
import { rawNotificationRoutes } from './routes/raw-notification.js';
import { registerRoutes } from './routes/register.js';
import { statsRoutes } from './routes/stats.js';
import { timelineRoutes } from './routes/timelines.js';
import { tradeRoutes } from './routes/trades.js';
import type { Stats } from './schemas/stats.js';

export interface ConsoleParts {
  readonly config: Pick<
    ConsoleConfig,
    | 'user'
    | 'password'
    | 'apiKey'
    | 'https'
    | 'trustedProxies'
    | 'encryptionKeys'
    | 'webhookNetworks'
    | 'identity'
    | 'channelsFile'
  >;
  readonly prisma: PrismaClient;
  readonly board: Board;
  readonly backlog: Backlog;
  readonly log: Log;
  readonly clock: Clock;
  /**
   * Resolves when the database keeps what is written now. @throws AppError `database_unavailable`
   */
  readonly assureDatabase?: () => Promise<void>;
}

const SESSION_LIMITS = {
  idleMs: 60 * 60_000,
  // A working day.
  lifetimeMs: 10 * 60 * 60_000,
  // A few operators have a few browsers each; more sessions mean that somebody fills memory.
  max: 200,
  // Everybody who knows the password counts as one person here.
  maxOfOne: 40,
};

/**
 * Everything that the console serves on its main port. Probes and metrics are on the private one.
 */
export async function buildApp(parts: ConsoleParts): Promise<FastifyInstance> {
  const { config, prisma, board, backlog, log, clock } = parts;
  const app = createServer(config, log);
  respondWithProblems(app, (request, reply) => sendRefusal(request, reply, nothingHere));
  await addSecurityHeaders(app, config.https);
  await app.register(cookie);
  await app.register(rateLimit, { global: false });

  const sessions = createSessions(SESSION_LIMITS, () => clock().getTime());
  const cookies = cookieNames(config.https);
  const checkLogin = await createLoginCheck(config.user, config.password);
  const { https, identity } = config;
  const database = { prisma, clock, log };
  const sessionCookie = cookies.session;
  if (parts.assureDatabase) refuseUnsafeWrites(app, parts.assureDatabase);
  guardEverything(app, {
    findSession: createFindSession({ sessions, sessionCookie, https, identity }),
    checkBearer: createBearerCheck(database, config.apiKey),
  });
  guardMerchants(app, prisma);

  const readStats = createStats(database, backlog.read);
  await describeApi(app);
  await app.register(assetRoutes);
  await app.register(loginRoutes, { checkLogin, sessions, cookies, https });
  await app.register(pageRoutes, { ...database, readStats });
  await app.register(showApiDocs);
  await app.register(board.plugin, { prefix: BOARD_PATH });
  await app.register(apiRoutes, { ...database, config, readStats, prefix: '/v1' });
  return app;
}

function createServer(config: ConsoleParts['config'], log: Log): FastifyInstance {
  const app: FastifyInstance = Fastify({
    loggerInstance: log as FastifyBaseLogger,
    // A line for every poll of Bull Board's page would bury the rest.
    logController: new LogController({ disableRequestLogging: true }),
    // An order has five short fields. Batches of orders and forms have separate limits.
    bodyLimit: 16 * 1_024,
    requestTimeout: 10_000,
    keepAliveTimeout: 30_000,
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    // Bull Board's addresses contain job IDs: provider, channel, up to 100 characters, 16 of
    // digest.
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: refuseAddress,
    clientErrorHandler: refuseBrokenHttp,
  });
  // Accepts only JSON, and forms where the login is served.
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  return app;
}

/** The JSON API for programs. */
async function apiRoutes(
  api: FastifyInstance,
  options: DatabaseDeps &
    Pick<ConsoleParts, 'config'> & { readonly readStats: () => Promise<Stats> },
): Promise<void> {
  const { config, readStats, prisma, clock, log } = options;
  const database = { prisma, clock, log };
  const { channelsFile, encryptionKeys } = config;
  const policy = createAddressPolicy(config.webhookNetworks);
  honourIdempotencyKeys(api, database);
  await api.register(registerRoutes, database);
  await api.register(orderRoutes, database);
  await api.register(timelineRoutes, database);
  await api.register(tradeRoutes, database);
  await api.register(notificationRoutes, database);
  await api.register(rawNotificationRoutes, database);
  await api.register(heldEventRoutes, database);
  await api.register(heldPlanRoutes, database);
  await api.register(heldEventActionRoutes, database);
  await api.register(deadLetterRoutes, database);
  await api.register(orderEventRoutes, database);
  await api.register(deliveryRoutes, database);
  await api.register(apiKeyRoutes, database);
  await api.register(auditRoutes, database);
  await api.register(channelRoutes, { ...database, channelsFile });
  await api.register(endpointRoutes, { ...database, encryptionKeys, policy });
  await api.register(endpointSwitchRoutes, database);
  await api.register(statsRoutes, { readStats });
  await api.register(openApiRoutes);
}
