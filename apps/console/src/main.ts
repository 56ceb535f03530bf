import type { QueueSettings } from '@payonce/core/queue/queue-settings';
import { watchShards } from '@payonce/core/queue/shard-watch';
import { queueName, queuesOf } from '@payonce/core/queue/shards';
import { systemClock } from '@payonce/core/runtime/clock';
import { withDeadline } from '@payonce/core/runtime/deadline';
import { type Lifecycle, runProcess } from '@payonce/core/runtime/lifecycle';
import { createLog, type Log } from '@payonce/core/runtime/log';
import { createMetrics } from '@payonce/core/runtime/metrics';
import { startPrivateServer } from '@payonce/core/runtime/private-server';
import {
  describeClock,
  describeFitness,
  watchDatabase,
} from '@payonce/orders/database/database-watch';
import { showDatabaseWatch } from '@payonce/orders/database/watch-metrics';
import { createPrisma } from '@payonce/prisma/client';
import { buildApp } from './app.js';
import { createBacklog } from './backlog.js';
import { type ConsoleConfig, loadConfig } from './config.js';
import { createBoard } from './plugins/bull-board.js';
import { showQueues } from './show-queues.js';

/** Requests end within 10 s by their limits. */
const DRAIN_LIMIT_MS = 15_000;
/** Eight processes with this pool leave room below PostgreSQL's default of 100 connections. */
const DATABASE_POOL = 4;
/** A probe has a second or two; a hanging database is not ready. */
const ASK_LIMIT_MS = 2_000;

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
    onConnect: () => watch.suspect(),
    onIdleError: (err) => {
      log.warn({ err }, 'database.connection_lost');
      watch.suspect();
    },
  });
  lifecycle.onStop('database', () => prisma.$disconnect());
  const watch = watchDatabase({
    url: config.databaseUrl,
    applicationName: 'payonce-console-watch',
    durability: config.databaseDurability,
    log,
  });
  lifecycle.onStop('database watch', () => watch.stop());
  const askDatabase = () => withDeadline(watch.look(), ASK_LIMIT_MS, 'asking the database');
  // Asks once, so that an early probe has an answer. A database that is down must not delay the
  // pages.
  await askDatabase().catch(() => {});

  const board = createBoard();
  const backlog = createBacklog(queuesOf(config.queues).map(queueName));
  const queues: (() => readonly [string, string])[] = [];
  const show = (settings: QueueSettings) => {
    const isShown = showQueues(settings, board, backlog, lifecycle, log);
    const name = `queue in ${queueName(settings)}`;
    queues.push(() => [name, isShown() ? 'shown' : 'not connected yet']);
  };
  queuesOf(config.queues).forEach(show);
  lifecycle.onStop('looking for shards', watchShards(config.queues, show, log));

  // Before the first answer nothing may be written, and pages still show a time.
  const clock = () => (watch.differenceMs() === null ? systemClock() : watch.clock());
  const { assure: assureDatabase } = watch;
  const app = await buildApp({ config, prisma, board, backlog, log, clock, assureDatabase });
  await app.listen({ host: config.host, port: config.port });
  lifecycle.onStop('pages and API', () => app.close());

  const metrics = createMetrics('console');
  showDatabaseWatch(metrics, watch);
  const { close } = await startPrivateServer({
    host: config.privateHost,
    port: config.privatePort,
    metrics,
    // Orders can be read and registered without a queue, so the queues do not decide.
    readiness: async () => {
      const database = await askDatabase().then(describeFitness, () => 'down');
      const shown = Object.fromEntries(queues.map((describe) => describe()));
      const parts = { database, ...describeClock(watch), ...shown };
      return { ready: database === 'ready', parts };
    },
  });
  lifecycle.onStop('private port', close);
  const kinds = queuesOf(config.queues).map(queueName);
  log.info({ host: config.host, port: config.port, queues: kinds }, 'process.started');
}
