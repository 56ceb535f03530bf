import type { AddressInfo } from 'node:net';
import { systemClock } from '@payonce/core/clock';
import { summarise } from '@payonce/core/config/channels';
import { maskedSummary } from '@payonce/core/config/env';
import { liveChannels } from '@payonce/core/config/live-channels';
import type { Lifecycle } from '@payonce/core/lifecycle';
import type { Log } from '@payonce/core/log';
import { createMetrics } from '@payonce/core/metrics';
import { startPrivateServer } from '@payonce/core/private-server';
import { describeState, type NotificationQueue } from '@payonce/core/queue/notification-queue';
import { openQueue } from '@payonce/core/queue/open-queue';
import { openReportQueue } from '@payonce/core/queue/report-queue';
import type { ShardedQueue } from '@payonce/core/queue/sharded-queue';
import { hasReports, queuesOf } from '@payonce/core/queue/shards';
import { buildApp } from './app.js';
import type { GatewayConfig } from './config.js';
import { describeGateway } from './describe.js';
import { createGatewayMetrics, watchQueueAndKeys } from './gateway-metrics.js';
import { boundInFlight } from './in-flight.js';
import { watchKeyExpiry } from './key-expiry.js';
import { startReports } from './reports.js';
import { createTally } from './tally.js';

/** A request may take 5 s to arrive and 2 s to be queued; less than the drain limit. */
const LAST_REPLY_MS = 7_500;

/**
 * Starts the gateway and registers its parts for the stop. The public server stops first, so that
 * every pending request gets its reply while the queue is still open.
 * @returns the ports in use (0 in the configuration means any free one)
 */
export async function startGateway(
  config: GatewayConfig,
  lifecycle: Lifecycle,
  log: Log,
): Promise<{ readonly port: number; readonly privatePort: number }> {
  const { host, privateHost } = config;
  log.info(
    {
      queues: config.queues.map((store) => maskedSummary(store)),
      channels: summarise(config.channels),
    },
    'configuration',
  );
  const metrics = createMetrics('gateway');
  const gatewayMetrics = createGatewayMetrics(metrics);
  const live = liveChannels(config.channels, { read: config.readChannels, log, metrics });
  const channels = live.current;
  lifecycle.onReload(live.reload);
  const opened = openQueue(config.queues, log, (to) => {
    gatewayMetrics.queueSwitches.inc({ queue: to });
  });
  const { queue, stores } = opened;
  lifecycle.onStop('queue', () => queue.close());
  watchQueueAndKeys(metrics, opened, channels);
  lifecycle.onStop('key expiry', watchKeyExpiry(channels, systemClock, log));

  const tally = createTally(() => gatewayMetrics.uncounted.inc());
  const reportStores = queuesOf(config.queues).filter(hasReports);
  const reportQueue = openReportQueue(reportStores, (kind) => isReady(stores, kind));
  lifecycle.onStop('report queue', () => reportQueue.close());
  const reports = startReports({
    tally,
    queue: reportQueue,
    describe: () => describeGateway(stores, channels(), gatewayMetrics),
    metrics: gatewayMetrics,
    clock: systemClock,
    log,
  });
  lifecycle.onStop('reports', () => reports.stop());

  let stopping = false;
  const privateServer = await startPrivateServer({
    host: privateHost,
    port: config.privatePort,
    metrics,
    readiness: () => ({
      ready: queue.state.state === 'ready' && !stopping,
      parts: { ...describeQueues(queue, stores), ...(stopping && { process: 'stopping' }) },
    }),
  });
  lifecycle.onStop('private server', () => privateServer.close());

  const app = buildApp(
    { ...config, channels },
    {
      queue: boundInFlight(queue, config.maxInFlight, metrics),
      metrics: gatewayMetrics,
      log,
      clock: systemClock,
      tally,
    },
  );
  await app.listen({ host, port: config.port });
  lifecycle.onStop('public server', async () => {
    stopping = true;
    // Node stops checking for late requests once a server closes, so this does not wait for senders
    // that are still sending.
    const timer = setTimeout(() => app.server.closeAllConnections(), LAST_REPLY_MS);
    await app.close().finally(() => clearTimeout(timer));
  });

  const { port } = app.server.address() as AddressInfo;
  const { port: privatePort } = privateServer;
  log.info({ host, port, privateHost, privatePort }, 'listening');
  return { port, privatePort };
}

function isReady(stores: readonly NotificationQueue[], kind: string): boolean {
  return stores.some(({ name, state }) => name === kind && state.state === 'ready');
}

/** The whole queue, and its stores if there are several. */
function describeQueues(
  queue: ShardedQueue,
  stores: readonly NotificationQueue[],
): Record<string, string> {
  const parts = stores.length > 1 ? stores.map(({ name, state }) => [name, state] as const) : [];
  const all = [['queue', queue.state] as const, ...parts];
  return Object.fromEntries(all.map(([name, state]) => [name, describeState(state)]));
}
