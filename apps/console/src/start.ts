import type { QueueSettings } from '@payonce/core/queue/queue-settings';
import { watchShards } from '@payonce/core/queue/shard-watch';
import { queueName, queuesOf } from '@payonce/core/queue/shards';
import { type Clock, systemClock } from '@payonce/core/runtime/clock';
import { withDeadline } from '@payonce/core/runtime/deadline';
import type { Lifecycle } from '@payonce/core/runtime/lifecycle';
import type { Log } from '@payonce/core/runtime/log';
import { createMetrics } from '@payonce/core/runtime/metrics';
import { startPrivateServer } from '@payonce/core/runtime/private-server';
import {
  type DatabaseWatch,
  describeClock,
  describeFitness,
} from '@payonce/orders/database/database-watch';
import { openDatabase } from '@payonce/orders/database/open-database';
import { showDatabaseWatch } from '@payonce/orders/database/watch-metrics';
import { buildApp } from './app.js';
import { type Backlog, createBacklog } from './backlog.js';
import { showQueues } from './bull-board-queues.js';
import type { ConsoleConfig } from './config.js';
import { type Board, createBoard } from './plugins/bull-board.js';

/** Eight processes with this pool leave room below PostgreSQL's default of 100 connections. */
const DATABASE_POOL = 4;
/** A probe has a second or two; a hanging database is not ready. */
const ASK_LIMIT_MS = 2_000;

/** Puts the console together: the database, the queues, pages and API, the private port. */
export async function start(config: ConsoleConfig, lifecycle: Lifecycle, log: Log): Promise<void> {
  const { prisma, watch } = openDatabase({
    url: config.databaseUrl,
    poolSize: DATABASE_POOL,
    applicationName: 'payonce-console',
    durability: config.databaseDurability,
    queues: config.queues,
    lifecycle,
    log,
  });
  // Asks once, so that an early probe has an answer. A database that is down must not delay the
  // pages.
  await ask(watch).catch(() => {});

  const board = createBoard();
  const names = queuesOf(config.queues).map(queueName);
  const backlog = createBacklog(names);
  const queueStates = connectQueues(config, { board, backlog }, lifecycle, log);

  // Before the first response nothing may be written, and pages still show a time.
  const clock: Clock = () => (watch.differenceMs() === null ? systemClock() : watch.clock());
  const assureDatabase = () => watch.assure();
  const app = await buildApp({ config, prisma, board, backlog, log, clock, assureDatabase });
  await app.listen({ host: config.host, port: config.port });
  lifecycle.onStop('pages and API', () => app.close());

  await openPrivatePort(config, watch, queueStates, lifecycle);
  log.info({ host: config.host, port: config.port, queues: names }, 'process.started');
}

function ask(watch: DatabaseWatch) {
  return withDeadline(watch.look(), ASK_LIMIT_MS, 'asking the database');
}

/**
 * The configured queues, and shards that the watch finds later.
 * @returns the state of each for `/readyz`
 */
function connectQueues(
  config: ConsoleConfig,
  { board, backlog }: { readonly board: Board; readonly backlog: Backlog },
  lifecycle: Lifecycle,
  log: Log,
): () => Readonly<Record<string, string>> {
  const queues: (() => readonly [string, string])[] = [];
  const show = (settings: QueueSettings) => {
    const isShown = showQueues(settings, board, backlog, lifecycle, log);
    const name = `queue in ${queueName(settings)}`;
    queues.push(() => [name, isShown() ? 'shown' : 'not connected yet']);
  };
  queuesOf(config.queues).forEach(show);
  lifecycle.onStop('looking for shards', watchShards(config.queues, show, log));
  return () => Object.fromEntries(queues.map((describe) => describe()));
}

async function openPrivatePort(
  config: ConsoleConfig,
  watch: DatabaseWatch,
  queueStates: () => Readonly<Record<string, string>>,
  lifecycle: Lifecycle,
): Promise<void> {
  const metrics = createMetrics('console');
  showDatabaseWatch(metrics, watch);
  const { close } = await startPrivateServer({
    host: config.privateHost,
    port: config.privatePort,
    metrics,
    // Orders can be read and registered without a queue, so the queues do not decide.
    readiness: async () => {
      const database = await ask(watch).then(describeFitness, () => 'down');
      const parts = { database, ...describeClock(watch), ...queueStates() };
      return { ready: database === 'ready', parts };
    },
  });
  lifecycle.onStop('private port', close);
}
