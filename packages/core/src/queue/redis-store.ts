import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { withDeadline } from '../runtime/deadline.js';
import { AppError } from '../runtime/errors.js';
import type { Log } from '../runtime/log.js';
import { producerRedis } from './connection.js';
import { NOTIFICATION_QUEUE, type NotificationJob } from './job.js';
import { eventStream, queuedJob } from './job-options.js';
import { startMonitor } from './monitor.js';
import { describeState, type QueueState } from './notification-queue.js';
import type { RedisQueueSettings } from './queue-settings.js';
import { durabilityFaults, memoryFault, readRedisReport } from './redis-durability.js';
import { type RedisLink, watchRedisLink } from './redis-link.js';
import { replicaBarrier } from './replica-wait.js';
import { queueName, targetOf } from './shards.js';
import type { JobStore } from './store-queue.js';
import { REDIS_BATCH_LIMIT_MS } from './time-limits.js';

/**
 * One batch is written while another waits for its replies. The batch size bounds one write (a job
 * has 350 KB at most).
 */
const ADD_BATCHES = {
  minBulkSize: 2,
  maxBatchSize: 64,
  maxBatchesInFlight: 2,
  minConcurrentBatchSize: 1,
  slowAfterMs: 50,
  batchLimitMs: REDIS_BATCH_LIMIT_MS,
};

/**
 * Connects, and keeps connecting. Takes no job before Redis has shown, on this connection, that it
 * keeps what it acknowledges.
 */
export function openRedisStore(settings: RedisQueueSettings, parentLog: Log): JobStore {
  const name = queueName(settings);
  const log = parentLog.child({ queue: name });
  const redis = producerRedis(targetOf(settings));
  const queue = openProducerQueue(settings, redis);
  const link = watchRedisLink(redis, {
    lost: (reason) => monitor.lost(reason),
    ready: () => monitor.checkNow(),
  });
  warnIfUnchecked(settings, log);
  const monitor = startMonitor(() => check({ settings, redis, queue, link }), log);
  const durably = durableWrites(redis, link, {
    replicas: settings.waitReplicas,
    state: () => monitor.state,
  });

  return {
    name,
    addBatches: ADD_BATCHES,
    get state() {
      return monitor.state;
    },
    addAll: (jobs) => durably(() => queue.addBulk(jobs.map(queuedJob))),
    addOne: (job) => {
      const { name, data, opts } = queuedJob(job);
      return durably(() => queue.add(name, data, opts));
    },
    async close() {
      monitor.stop();
      await queue.close();
      // No replies are pending: the gateway closes the queue after its last reply.
      redis.disconnect();
    },
  };
}

function openProducerQueue(
  { prefix }: RedisQueueSettings,
  connection: Redis,
): Queue<NotificationJob> {
  const queue = new Queue<NotificationJob>(NOTIFICATION_QUEUE, {
    ...eventStream,
    connection,
    prefix,
    // Its version check asks once, on the first connection, and a failure there would be permanent.
    skipVersionCheck: true,
  });
  // It emits what the monitor already reports; without a listener an error would end the process.
  queue.on('error', () => {});
  return queue;
}

function warnIfUnchecked({ durability }: RedisQueueSettings, log: Log): void {
  if (durability === 'checked') return;
  log.warn({ setting: 'PAYONCE_REDIS_DURABILITY', durability }, 'queue.durability_unchecked');
}

/** Whether Redis may take jobs: connected, not full, and durable. */
async function check(parts: {
  readonly settings: RedisQueueSettings;
  readonly redis: Redis;
  readonly queue: Queue<NotificationJob>;
  readonly link: RedisLink;
}): Promise<QueueState> {
  const { settings, redis, queue, link } = parts;
  if (!link.isReady) {
    return link.lastError ? { state: 'down', reason: link.lastError } : { state: 'starting' };
  }
  await withDeadline(queue.waitUntilReady(), 2_000, 'connecting');
  const full = await memoryFault(redis);
  if (full) return { state: 'down', reason: `full: ${full}` };
  if (settings.durability !== 'checked') return { state: 'ready' };
  const report = await readRedisReport(redis);
  const faults = durabilityFaults(report, settings.waitReplicas);
  if (faults.length === 0) return { state: 'ready' };
  const reason = `not durable: ${faults.join(', ')}`;
  if (report.role !== 'master') link.lookElsewhere(reason);
  return { state: 'down', reason };
}

/**
 * Runs a write, then waits for replicas. One wait covers all its items, on the same connection,
 * since WAIT concerns only that connection's writes.
 */
function durableWrites(
  redis: Redis,
  link: RedisLink,
  { replicas, state }: { readonly replicas: number; readonly state: () => QueueState },
): (write: () => Promise<unknown>) => Promise<void> {
  const onReplicas = replicas > 0 ? replicaBarrier(redis, replicas) : null;
  return async (write) => {
    // On a connection that is not ready an add can stay pending without end.
    if (!link.isReady) {
      throw new AppError('queue_unavailable', { detail: describeState(state()) });
    }
    const lostBefore = link.losses;
    await write();
    await onReplicas?.();
    // A later connection, maybe to a promoted replica, knows nothing of the writes of this one.
    if (link.losses !== lostBefore) {
      throw new AppError('queue_unavailable', { detail: 'the connection was lost meanwhile' });
    }
  };
}
