import type { AddressInfo } from 'node:net';
import { summarise } from '@payonce/core/config/channels';
import { maskedSummary } from '@payonce/core/config/env';
import { type CurrentChannels, liveChannels } from '@payonce/core/config/live-channels';
import { isReady } from '@payonce/core/queue/notification-queue';
import { type OpenedQueue, openGatewayQueue } from '@payonce/core/queue/open-queue';
import { openReportQueue } from '@payonce/core/queue/report-queue';
import { hasReports, queuesOf } from '@payonce/core/queue/shards';
import { systemClock } from '@payonce/core/runtime/clock';
import type { Lifecycle } from '@payonce/core/runtime/lifecycle';
import type { Log } from '@payonce/core/runtime/log';
import { createMetrics, type Metrics } from '@payonce/core/runtime/metrics';
import { type PrivateServer, startPrivateServer } from '@payonce/core/runtime/private-server';
import { buildApp } from './app.js';
import type { GatewayConfig } from './config.js';
import { createGatewayMetrics, type GatewayMetrics } from './metrics/gateway-metrics.js';
import { watchQueueAndKeys } from './metrics/gauges.js';
import { watchKeyExpiry } from './metrics/key-expiry.js';
import { gatewayState, readinessParts } from './readiness-parts.js';
import { createReportCounts, type ReportCounts } from './reports/report-counts.js';
import { startReports } from './reports/reports.js';

/** A request may take 5 s to arrive and 2 s to be queued; less than the drain limit. */
const LAST_REPLY_MS = 7_500;

/** What the servers and the reports of one gateway share. */
interface Parts {
  readonly channels: CurrentChannels;
  readonly opened: OpenedQueue;
  readonly counts: ReportCounts;
  readonly metrics: GatewayMetrics;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
}

/**
 * Starts the gateway and registers its parts for the stop. The public server stops first, so that
 * every pending request gets its reply while the queue is still open.
 * @returns the ports in use (0 in the configuration means any free one)
 */
export async function start(
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
    'process.configured',
  );
  const registry = createMetrics('gateway');
  const metrics = createGatewayMetrics(registry);
  const live = liveChannels(config.channels, {
    read: config.readChannels,
    log,
    metrics: registry,
  });
  const channels = live.current;
  lifecycle.onReload(live.reload);
  const opened = openGatewayQueue(config.queues, {
    maxInFlight: config.maxInFlight,
    log,
    onSwitch: (to) => metrics.queueSwitches.inc({ queue: to }),
  });
  lifecycle.onStop('queue', () => opened.queue.close());
  watchQueueAndKeys(registry, opened, channels);
  lifecycle.onStop('key expiry', watchKeyExpiry(channels, systemClock, log));

  const counts = createReportCounts(() => metrics.droppedCounts.inc());
  const parts: Parts = { channels, opened, counts, metrics, lifecycle, log };
  reportRegularly(config, parts);
  const stopping = new AbortController();
  const { port: privatePort } = await listenPrivately(config, parts, registry, stopping.signal);
  const port = await listenPublicly(config, parts, stopping);
  log.info({ host, port, privateHost, privatePort }, 'process.started');
  return { port, privatePort };
}

function reportRegularly(config: GatewayConfig, parts: Parts): void {
  const { channels, counts, metrics, lifecycle, log } = parts;
  const { stores } = parts.opened;
  const queue = openReportQueue(queuesOf(config.queues).filter(hasReports), (kind) =>
    stores.some((store) => store.name === kind && isReady(store)),
  );
  lifecycle.onStop('report queue', () => queue.close());
  const reports = startReports({
    counts,
    queue,
    describe: () => gatewayState(stores, channels(), metrics),
    metrics,
    clock: systemClock,
    log,
  });
  lifecycle.onStop('reports', () => reports.stop());
}

/** Serves the metrics and the readiness. */
async function listenPrivately(
  config: GatewayConfig,
  { opened, lifecycle }: Parts,
  metrics: Metrics,
  stopping: AbortSignal,
): Promise<PrivateServer> {
  const { queue, stores } = opened;
  const server = await startPrivateServer({
    host: config.privateHost,
    port: config.privatePort,
    metrics,
    readiness: () => ({
      ready: isReady(queue) && !stopping.aborted,
      parts: {
        ...readinessParts(queue, stores),
        ...(stopping.aborted && { process: 'stopping' }),
      },
    }),
  });
  lifecycle.onStop('private server', () => server.close());
  return server;
}

/** @returns the port */
async function listenPublicly(
  config: GatewayConfig,
  { channels, opened, counts, metrics, lifecycle, log }: Parts,
  stopping: AbortController,
): Promise<number> {
  const app = buildApp(
    { ...config, channels },
    { queue: opened.queue, metrics, log, clock: systemClock, counts },
  );
  await app.listen({ host: config.host, port: config.port });
  lifecycle.onStop('public server', async () => {
    stopping.abort();
    // Node stops checking for late requests once a server closes, so this does not wait for senders
    // that are still sending.
    const timer = setTimeout(() => app.server.closeAllConnections(), LAST_REPLY_MS);
    await app.close().finally(() => clearTimeout(timer));
  });
  return (app.server.address() as AddressInfo).port;
}
