import { summarise } from '@payonce/core/config/channels';
import { maskedSummary } from '@payonce/core/config/env';
import { liveChannels } from '@payonce/core/config/live-channels';
import type { QueueSettings } from '@payonce/core/queue/queue-settings';
import { watchShards } from '@payonce/core/queue/shard-watch';
import { hasReports, queuesOf } from '@payonce/core/queue/shards';
import { withDeadline } from '@payonce/core/runtime/deadline';
import type { Lifecycle } from '@payonce/core/runtime/lifecycle';
import type { Log } from '@payonce/core/runtime/log';
import { createMetrics } from '@payonce/core/runtime/metrics';
import { type Readiness, startPrivateServer } from '@payonce/core/runtime/private-server';
import {
  type DatabaseWatch,
  describeClock,
  describeFitness,
  watchDatabase,
} from '@payonce/orders/database/database-watch';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { showDatabaseWatch } from '@payonce/orders/database/watch-metrics';
import type { ApplyDeps } from '@payonce/orders/notifications/apply';
import { applyAll, applyAllInTurn } from '@payonce/orders/notifications/apply-all';
import { recordDeadLetter } from '@payonce/orders/notifications/dead-letters';
import { createPrisma } from '@payonce/prisma/client';
import { answersOnFreshConnection } from '@payonce/prisma/fresh-connection';
import type { WorkerConfig } from './config.js';
import { startOrderEvents } from './deliveries.js';
import { createDeliveryMetrics, watchDeliveries } from './delivery-metrics.js';
import { watchLiveness } from './liveness.js';
import { consumeReports } from './reports.js';
import { startUpkeep } from './upkeep.js';
import { waitsInWords } from './waits.js';
import { type NotificationWorker, startWorker, type WorkerStore } from './worker.js';
import { createWorkerMetrics, watchHeld, watchQueues, watchWaits } from './worker-metrics.js';

/** A probe has a second or two; a hanging database is not ready. */
const ASK_LIMIT_MS = 2_000;

/**
 * Starts the worker and registers its parts. They stop in reverse: the private port, the schedules,
 * the queues (takes no more jobs and finishes the running batches), order events, the database.
 * @returns the private port in use (0 in the configuration means any free one)
 */
export async function startProcess(
  config: WorkerConfig,
  lifecycle: Lifecycle,
  log: Log,
): Promise<{ readonly privatePort: number }> {
  const { privateHost } = config;
  const queues = config.queues.map((store) => maskedSummary(store));
  log.info({ queues, sizes: config.sizes, channels: summarise(config.channels) }, 'configuration');
  const metrics = createMetrics('worker');
  const workerMetrics = createWorkerMetrics(metrics);
  const live = liveChannels(config.channels, { read: config.readChannels, log, metrics });
  const channels = live.current;
  lifecycle.onReload(live.reload);

  const prisma = createPrisma({
    url: config.databaseUrl,
    poolSize: config.databasePool,
    applicationName: 'payonce-worker',
    onConnect: () => watch.suspect(),
    onIdleError: (err) => {
      log.warn({ err }, 'an idle database connection was lost');
      watch.suspect();
    },
  });
  lifecycle.onStop('database', () => prisma.$disconnect());
  const watch = watchDatabase({
    url: config.databaseUrl,
    applicationName: 'payonce-worker-watch',
    durability: config.databaseDurability,
    log,
  });
  lifecycle.onStop('database watch', () => watch.stop());
  showDatabaseWatch(metrics, watch);
  const { mayWork } = watch;
  const database: DatabaseDeps = { prisma, clock: watch.clock, log };

  const deliveryMetrics = createDeliveryMetrics(metrics);
  watchDeliveries(metrics, database);
  const orderEvents = startOrderEvents(config.deliveries, {
    database,
    log,
    metrics: deliveryMetrics,
    mayWork,
  });
  lifecycle.onStop('order events', () => orderEvents.stop());
  lifecycle.onReload(orderEvents.reload);

  const { sizes } = config;
  const settings = queuesOf(config.queues);
  const worker = startWorker({
    queues: settings,
    channels,
    store: databaseStore(
      { ...database, fansOut: orderEvents.isTelling, onNews: orderEvents.nudge },
      watch,
    ),
    sizes,
    log,
    metrics: workerMetrics,
  });
  lifecycle.onStop('queues', () => worker.close());
  const add = (queue: QueueSettings) => {
    worker.add(queue);
    if (!mayWork()) worker.sources.at(-1)?.pause();
  };
  lifecycle.onStop('looking for shards', watchShards(config.queues, add, log));
  watchQueues(metrics, worker.sources);
  watchWaits(metrics, worker);

  const reports = consumeReports(settings.filter(hasReports), {
    database,
    log,
    metrics: workerMetrics,
  });
  lifecycle.onStop('reports', () => reports.close());

  watchHeld(metrics, database, config.heldDeadlineMs);

  const mayRun = () => mayWork() && !watch.clockDiffers();
  const { sources } = worker;
  const upkeep = startUpkeep({
    database,
    channels,
    config,
    log,
    metrics: workerMetrics,
    mayRun,
    sources,
  });
  lifecycle.onStop('schedules', () => upkeep.stop());

  /** Takes no job before the first answer; afterwards each answer decides. */
  const openOrClose = () => {
    const takers = [...worker.sources, reports];
    for (const taker of takers) mayWork() ? taker.resume() : taker.pause();
    worker.waits.paused(!mayWork());
    orderEvents.resume();
  };
  openOrClose();
  watch.onLook(openOrClose);

  const askDatabase = async () => ((await askedNow(watch)) === 'ready' ? 'ready' : 'down');
  const liveness = watchLiveness({
    limitMs: config.stuckLimitMs,
    sources: worker.sources,
    batches: worker.batches,
    askDatabase,
    askOnFreshConnection: () => answersOnFreshConnection(config.databaseUrl),
    log,
  });
  lifecycle.onStop('liveness', () => liveness.stop());

  const server = await startPrivateServer({
    host: privateHost,
    port: config.privatePort,
    metrics,
    readiness: () => readiness(watch, worker),
    isAlive: liveness.isAlive,
  });
  lifecycle.onStop('private port', () => server.close());
  log.info({ privateHost, privatePort: server.port }, 'worker has started');
  return { privatePort: server.port };
}

/** The database functions that the worker needs. */
function databaseStore(deps: ApplyDeps, watch: DatabaseWatch): WorkerStore {
  /** Checks again afterwards: a connection opened meanwhile may have led to another server. */
  const assured = async <Result>(work: () => Promise<Result>) => {
    await watch.assure();
    const result = await work();
    await watch.assure();
    return result;
  };
  return {
    apply: (batch) => assured(() => applyAll(deps, batch)),
    applyInTurn: (batch) => assured(() => applyAllInTurn(deps, batch)),
    bury: ({ queue, jobId, data, reason, detail }) =>
      assured(() =>
        recordDeadLetter(deps, {
          queue,
          jobId,
          job: data,
          reason,
          ...(detail !== null && { error: detail }),
        }),
      ),
  };
}

/** Ready if it can work with one queue; the parts show which others are down. */
async function readiness(watch: DatabaseWatch, worker: NotificationWorker): Promise<Readiness> {
  const [database, ...queues] = await Promise.all([
    askedNow(watch),
    ...worker.sources.map(async (source) => [source.name, await source.state()] as const),
  ]);
  return {
    ready: database === 'ready' && queues.some(([, state]) => state === 'ready'),
    parts: {
      database,
      ...describeClock(watch),
      ...Object.fromEntries(queues),
      ...waitsInWords(worker.waits),
    },
  };
}

/** `ready`, `down`, or all faults of the database. */
function askedNow(watch: DatabaseWatch): Promise<string> {
  return withDeadline(watch.look(), ASK_LIMIT_MS, 'asking the database').then(
    describeFitness,
    () => 'down',
  );
}
