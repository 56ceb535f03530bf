import type { Log } from '@payonce/core/log';
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

/** The API by which the simulator is told what to send. Private: there is no login. */
export async function buildApp({
  player,
  sendings,
  log,
}: SimulatorParts): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    // 200 steps of about 1 KiB each, with room.
    bodyLimit: 512 * 1_024,
  });
  // What a page in a browser could send without asking (text/plain) is no command.
  app.removeContentTypeParser('text/plain');
  app.get('/livez', async () => ({ alive: true }));
  app.get('/readyz', async () => ({ ready: true }));
  await app.register(sendRoutes, { player });
  await app.register(sendingsRoutes, { sendings });
  return app;
}
