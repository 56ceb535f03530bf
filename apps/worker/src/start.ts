import { summarise } from '@payonce/core/config/channels';
import { maskedSummary } from '@payonce/core/config/env';
import { type CurrentChannels, liveChannels } from '@payonce/core/config/live-channels';
import type { QueueSettings } from '@payonce/core/queue/queue-settings';
import { watchShards } from '@payonce/core/queue/shard-watch';
import { hasReports, queuesOf } from '@payonce/core/queue/shards';
import type { Lifecycle } from '@payonce/core/runtime/lifecycle';
import type { Log } from '@payonce/core/runtime/log';
import { createMetrics, type Metrics } from '@payonce/core/runtime/metrics';
import { startPrivateServer } from '@payonce/core/runtime/private-server';
import type { DatabaseWatch } from '@payonce/orders/database/database-watch';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { openDatabase } from '@payonce/orders/database/open-database';
import { showDatabaseWatch } from '@payonce/orders/database/watch-metrics';
import { respondsOnFreshConnection } from '@payonce/prisma/fresh-connection';
import { ordersDatabase } from './batch/orders-database.js';
import type { WorkerConfig } from './config.js';
import { watchOldQueue } from './consume/old-queue.js';
import { consumeReports, type Reports } from './consume/report-consumer.js';
import { watchHeld, watchQueues, watchRewindCount, watchWaits } from './gauges.js';
import { watchLiveness } from './liveness/liveness.js';
import { createDeliveryMetrics, watchDeliveries } from './metrics/order-event-metrics.js';
import { createWorkerMetrics, type WorkerMetrics } from './metrics/worker-metrics.js';
import { type NotificationWorker, startWorker } from './notification-worker.js';
import { type OrderEvents, startOrderEvents } from './order-events.js';
import { askedNow, readiness } from './readiness.js';
import { startMaintenance } from './schedules/maintenance.js';

/**
 * Starts the worker and registers its parts. They stop in reverse: the private port, the schedules,
 * the queues (takes no more jobs and finishes the running batches), order events, the database.
 * @returns the private port in use (0 in the configuration means any free one)
 */
export async function start(
  config: WorkerConfig,
  lifecycle: Lifecycle,
  log: Log,
): Promise<{ readonly privatePort: number }> {
  const queues = config.queues.map((store) => maskedSummary(store));
  log.info(
    { queues, sizes: config.sizes, channels: summarise(config.channels) },
    'process.configured',
  );
  const metrics = createMetrics('worker');
  const live = liveChannels(config.channels, { read: config.readChannels, log, metrics });
  lifecycle.onReload(live.reload);
  const context: Context = {
    config,
    lifecycle,
    log,
    metrics,
    counters: createWorkerMetrics(metrics),
    channels: live.current,
  };

  const { watch, database } = connectDatabase(context);
  const orderEvents = deliverOrderEvents(context, database, watch);
  const worker = consumeQueues(context, database, watch, orderEvents);
  const reports = countReports(context, database);
  drainOldQueue(context, watch, worker, reports);
  maintain(context, database, watch, worker);
  // Takes no job before the first response; afterwards each response decides.
  const openOrClose = () => {
    const { mayWork } = watch;
    for (const taker of [...worker.consumers, reports]) mayWork() ? taker.resume() : taker.pause();
    worker.waits.paused(!mayWork());
    orderEvents.resume();
  };
  openOrClose();
  watch.onLook(openOrClose);
  return openPrivatePort(context, watch, worker);
}

/** What every part of the process uses. */
interface Context {
  readonly config: WorkerConfig;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly counters: WorkerMetrics;
  readonly channels: CurrentChannels;
}

function connectDatabase({ config, lifecycle, log, metrics }: Context) {
  const { prisma, watch } = openDatabase({
    url: config.databaseUrl,
    poolSize: config.databasePool,
    applicationName: 'payonce-worker',
    durability: config.databaseDurability,
    queues: config.queues,
    lifecycle,
    log,
  });
  showDatabaseWatch(metrics, watch);
  const database: DatabaseDeps = { prisma, clock: watch.clock, log };
  watchHeld(metrics, database, config.heldDeadlineMs);
  watchRewindCount(metrics, database);
  return { watch, database };
}

function deliverOrderEvents(
  { config, lifecycle, log, metrics }: Context,
  database: DatabaseDeps,
  { mayWork }: DatabaseWatch,
): OrderEvents {
  const deliveryMetrics = createDeliveryMetrics(metrics);
  watchDeliveries(metrics, database);
  const deps = { database, log, metrics: deliveryMetrics, mayWork };
  const orderEvents = startOrderEvents(config.deliveries, deps);
  lifecycle.onStop('order events', () => orderEvents.stop());
  lifecycle.onReload(orderEvents.reload);
  return orderEvents;
}

function consumeQueues(
  { config, lifecycle, log, metrics, counters, channels }: Context,
  database: DatabaseDeps,
  watch: DatabaseWatch,
  orderEvents: OrderEvents,
): NotificationWorker {
  const deps = { ...database, fansOut: orderEvents.mayFanOut, wakeDeliveries: orderEvents.nudge };
  const worker = startWorker({
    queues: queuesOf(config.queues),
    channels,
    database: ordersDatabase(deps, watch),
    sizes: config.sizes,
    keepCompleted: config.keepCompleted,
    log,
    metrics: counters,
  });
  lifecycle.onStop('queues', () => worker.close());
  const add = (queue: QueueSettings) => {
    const consumer = worker.add(queue);
    if (!watch.mayWork()) consumer.pause();
  };
  lifecycle.onStop('looking for shards', watchShards(config.queues, add, log));
  watchQueues(metrics, worker.consumers);
  watchWaits(metrics, worker);
  return worker;
}

function countReports({ config, lifecycle, log, counters }: Context, database: DatabaseDeps) {
  const queues = queuesOf(config.queues).filter(hasReports);
  const reports = consumeReports(queues, { database, log, metrics: counters });
  lifecycle.onStop('reports', () => reports.close());
  return reports;
}

/** Its consumers are paused while the database is not fit, as all others. */
function drainOldQueue(
  { config, lifecycle, log }: Context,
  watch: DatabaseWatch,
  worker: NotificationWorker,
  reports: Reports,
): void {
  const drain = (queue: QueueSettings) => {
    const consumer = worker.add(queue);
    if (!watch.mayWork()) consumer.pause();
    const stopReports = reports.add(queue);
    return async () => {
      await Promise.all([worker.remove(consumer), stopReports()]);
    };
  };
  const { databaseUrl, queues } = config;
  lifecycle.onStop('the old queue', watchOldQueue({ databaseUrl, queues, drain, log }));
}

function maintain(
  { config, lifecycle, log, counters, channels }: Context,
  database: DatabaseDeps,
  watch: DatabaseWatch,
  { consumers }: NotificationWorker,
): void {
  const mayRun = () => watch.mayWork() && !watch.clockDiffers();
  const options = { database, channels, config, log, metrics: counters, mayRun, consumers };
  const maintenance = startMaintenance(options);
  lifecycle.onStop('schedules', () => maintenance.stop());
}

async function openPrivatePort(
  { config, lifecycle, log, metrics }: Context,
  watch: DatabaseWatch,
  worker: NotificationWorker,
): Promise<{ readonly privatePort: number }> {
  const liveness = watchLiveness({
    limitMs: config.stuckLimitMs,
    consumers: worker.consumers,
    batches: worker.batches,
    askDatabase: async () => ((await askedNow(watch)) === 'ready' ? 'ready' : 'down'),
    askOnFreshConnection: () => respondsOnFreshConnection(config.databaseUrl),
    log,
  });
  lifecycle.onStop('liveness', () => liveness.stop());
  const { privateHost } = config;
  const server = await startPrivateServer({
    host: privateHost,
    port: config.privatePort,
    metrics,
    readiness: () => readiness(watch, worker),
    isAlive: liveness.isAlive,
  });
  lifecycle.onStop('private port', () => server.close());
  log.info({ privateHost, privatePort: server.port }, 'process.started');
  return { privatePort: server.port };
}
