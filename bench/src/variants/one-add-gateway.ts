import { openBullQueue } from '@payonce/core/queue/bull-queue';
import { queuedJob } from '@payonce/core/queue/job-options';
import { readQueueSettings } from '@payonce/core/queue/queue-settings';
import type { ShardedQueue } from '@payonce/core/queue/sharded-queue';
import { queueName, queuesOf } from '@payonce/core/queue/shards';
import { systemClock } from '@payonce/core/runtime/clock';
import { createLog } from '@payonce/core/runtime/log';
import { createMetrics } from '@payonce/core/runtime/metrics';
import { buildApp } from '@payonce/gateway/app';
import { readConfig } from '@payonce/gateway/config';
import { createGatewayMetrics } from '@payonce/gateway/metrics/gateway-metrics';
import { createReportCounts } from '@payonce/gateway/reports/report-counts';

// The same gateway, with one `queue.add` for each request.
const [settings] = queuesOf(readQueueSettings(process.env));
const bullQueue = openBullQueue(settings);
await bullQueue.waitUntilReady();
const queue: ShardedQueue = {
  state: { state: 'ready' },
  async enqueue(job) {
    const { name, data, opts } = queuedJob(job);
    await bullQueue.add(name, data, opts);
    return queueName(settings);
  },
  close: () => bullQueue.close(),
};
const config = readConfig(process.env);
const app = buildApp(
  { ...config, channels: () => config.channels },
  {
    queue,
    metrics: createGatewayMetrics(createMetrics('gateway')),
    log: createLog({ name: 'gateway' }),
    clock: systemClock,
    counts: createReportCounts(() => {}),
  },
);
await app.listen({ host: config.host, port: config.port });
process.once('SIGTERM', () => process.exit());
