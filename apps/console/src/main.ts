import { systemClock } from '@payonce/core/clock';
import { type Lifecycle, runProcess } from '@payonce/core/lifecycle';
import { createLog, type Log } from '@payonce/core/log';
import { createMetrics } from '@payonce/core/metrics';
import { startPrivateServer } from '@payonce/core/private-server';
import { openHostedQueue, openUntilReady } from '@payonce/core/queue/hosted';
import type { QueueSettings } from '@payonce/core/queue/queue-settings';
import { createPrisma, type PrismaClient } from '@payonce/prisma/client';
import { buildApp } from './app.js';
import { type Backlog, createBacklog } from './backlog.js';
import { type ConsoleConfig, loadConfig } from './config.js';
import { type Board, createBoard } from './plugins/bull-board.js';

/** Requests end within 10 s by their own limits. */
const DRAIN_LIMIT_MS = 15_000;
/** Eight processes of this size leave room below PostgreSQL's default of 100 connections. */
const DATABASE_POOL = 4;

const log = createLog({ name: 'console', level: process.env.PAYONCE_LOG_LEVEL });
await runProcess(log, {
  drainLimitMs: DRAIN_LIMIT_MS,
  start: (lifecycle) => start(loadConfig(process.env), lifecycle, log),
});

async function start(config: ConsoleConfig, lifecycle: Lifecycle, log: Log): Promise<void> {
  const prisma = createPrisma({
    url: config.databaseUrl,
    poolSize: DATABASE_POOL,
    applicationName: 'payonce-console',
    onIdleError: (err) => log.warn({ err }, 'an idle database connection died'),
  });
  lifecycle.onStop('database', () => prisma.$disconnect());

  const board = createBoard();
  const backlog = createBacklog(config.queues.map(({ kind }) => kind));
  const queues = config.queues.map((settings) => {
    const isShown = showQueue(settings, [board, backlog], lifecycle, log);
    return () => [`queue in ${settings.kind}`, isShown() ? 'shown' : 'not connected yet'] as const;
  });

  const app = await buildApp({ config, prisma, board, backlog, log, clock: systemClock });
  await app.listen({ host: config.host, port: config.port });
  lifecycle.onStop('pages and API', () => app.close());

  const { close } = await startPrivateServer({
    host: config.privateHost,
    port: config.privatePort,
    metrics: createMetrics('console'),
    // Orders can be read and registered without a queue, so none decides.
    readiness: async () => {
      const database = await databaseState(prisma, log);
      const parts = { database, ...Object.fromEntries(queues.map((describe) => describe())) };
      return { ready: database === 'ready', parts };
    },
  });
  lifecycle.onStop('private port', close);
  const kinds = config.queues.map(({ kind }) => kind);
  log.info({ host: config.host, port: config.port, queues: kinds }, 'console is ready');
}

async function databaseState(prisma: PrismaClient, log: Log): Promise<'ready' | 'down'> {
  try {
    await prisma.$queryRaw`SELECT 1`;
    return 'ready';
  } catch (err) {
    log.debug({ err }, 'the database does not answer');
    return 'down';
  }
}

/** Connects in the background: pages and API serve without the queue. @returns whether it is there yet */
function showQueue(
  settings: QueueSettings,
  viewers: readonly (Board | Backlog)[],
  lifecycle: Lifecycle,
  parentLog: Log,
): () => boolean {
  const log = parentLog.child({ queue: settings.kind });
  const giveUp = new AbortController();
  lifecycle.onStop('looking for the queue', () => giveUp.abort());
  let shown = false;
  const open = () => {
    const queue = openHostedQueue(settings);
    queue.on('error', (err: Error) => log.debug({ err }, 'queue error'));
    return queue;
  };
  const onFailure = (err: unknown) => log.warn({ err }, 'the queue is not reachable, trying again');
  openUntilReady(open, { signal: giveUp.signal, onFailure })
    .then((queue) => {
      if (giveUp.signal.aborted) return queue.close();
      lifecycle.onStop('queue', () => queue.close());
      for (const viewer of viewers) viewer.show(queue, settings.kind);
      shown = true;
    })
    .catch((err) => log.debug({ err }, 'gave up the queue'));
  return () => shown;
}
