import { readChannelFile } from '@payonce/core/config/channel-file';
import { readQueueSettings } from '@payonce/core/queue/queue-settings';
import { queuesOf } from '@payonce/core/queue/shards';
import { createLog } from '@payonce/core/runtime/log';
import { createMetrics } from '@payonce/core/runtime/metrics';
import type { ApplyOutcome } from '@payonce/orders/notifications/records/notification';
import type { OrdersDatabase } from '@payonce/worker/batch/orders-database';
import type { WorkerSizes } from '@payonce/worker/config';
import { createWorkerMetrics } from '@payonce/worker/metrics/worker-metrics';
import { startWorker } from '@payonce/worker/notification-worker';

/** The same worker with another function after its verification, on Redis alone. */
export function startOtherWorker(apply: OrdersDatabase['apply'], sizes: WorkerSizes): void {
  const channels = readChannelFile(process.env);
  const worker = startWorker({
    queues: queuesOf(readQueueSettings({ REDIS_URL: process.env.REDIS_URL })),
    channels: () => channels,
    database: {
      apply,
      deadLetter: async ({ reason, jobId }) => {
        throw new Error(`nothing dies here: ${jobId} did, of ${reason}`);
      },
    },
    sizes,
    // Silent, since a one-by-one worker would not write a line for each job.
    log: createLog({ name: 'worker', level: 'warn' }),
    metrics: createWorkerMetrics(createMetrics('worker')),
  });
  process.once('SIGTERM', () => void worker.close().finally(() => process.exit()));
}

export const APPLIED: Omit<ApplyOutcome, 'notificationId'> = {
  copy: false,
  events: [{ outcome: 'applied' }],
};
