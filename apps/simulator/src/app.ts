import type { Log } from '@payonce/core/runtime/log';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Player } from './player.js';
import { sendRoutes } from './routes/send.js';
import { sendingsRoutes } from './routes/sendings.js';
import type { Sendings } from './sendings.js';

export interface SimulatorParts {
  readonly player: Player;
  readonly sendings: Sendings;
  readonly log: Log;
}

/** The API that tells the simulator what to send. Private: there is no login. */
export async function buildApp({
  player,
  sendings,
  log,
}: SimulatorParts): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    // 200 steps of about 1 KiB each, with a reserve.
    bodyLimit: 512 * 1_024,
  });
  // Refuses text/plain, which a page in a browser could send without permission.
  app.removeContentTypeParser('text/plain');
  app.get('/livez', async () => ({ alive: true }));
  app.get('/readyz', async () => ({ ready: true }));
  await app.register(sendRoutes, { player });
  await app.register(sendingsRoutes, { sendings });
  return app;
}
