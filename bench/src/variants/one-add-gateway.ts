import { systemClock } from '@payonce/core/clock';
import { createLog } from '@payonce/core/log';
import { createMetrics } from '@payonce/core/metrics';
import { openHostedQueue } from '@payonce/core/queue/hosted';
import { jobIdFor } from '@payonce/core/queue/job';
import { notificationJobOptions } from '@payonce/core/queue/job-options';
import type { NotificationQueue } from '@payonce/core/queue/notification-queue';
import { readQueueSettings } from '@payonce/core/queue/queue-settings';
import { buildApp } from '@payonce/gateway/app';
import { readConfig } from '@payonce/gateway/config';
import { createGatewayMetrics } from '@payonce/gateway/gateway-metrics';
import { createTally } from '@payonce/gateway/tally';

// The same gateway, with one `queue.add` for each request.
const [settings] = readQueueSettings(process.env);
const hosted = openHostedQueue(settings);
await hosted.waitUntilReady();
const queue: NotificationQueue = {
  name: settings.kind,
  state: { state: 'ready' },
  async enqueue(job) {
    await hosted.add(job.provider, job, { ...notificationJobOptions, jobId: jobIdFor(job) });
    return settings.kind;
  },
  close: () => hosted.close(),
};
const config = readConfig(process.env);
const app = buildApp(config, {
  queue,
  metrics: createGatewayMetrics(createMetrics('gateway')),
  log: createLog({ name: 'gateway' }),
  clock: systemClock,
  tally: createTally(() => {}),
});
await app.listen({ host: config.host, port: config.port });
process.once('SIGTERM', () => process.exit());
