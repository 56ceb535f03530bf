import { Queue } from 'bullmq';
import { withDeadline } from '../deadline.js';
import { AppError, messageOf } from '../errors.js';
import type { Log } from '../log.js';
import { coalesce } from './coalesce.js';
import { producerRedis } from './connection.js';
import { type NewJob, NOTIFICATION_QUEUE, type NotificationJob } from './job.js';
import { eventStream, queuedJob } from './job-options.js';
import { startMonitor } from './monitor.js';
import { describeState, type NotificationQueue, type QueueState } from './notification-queue.js';
import type { RedisQueueSettings } from './queue-settings.js';
import { durabilityFaults, memoryFault, readRedisReport } from './redis-durability.js';
import { replicaBarrier } from './replica-wait.js';
import { placeOf, queueName } from './shards.js';

/**
 * One flush is written while another waits for its replies. The batch size bounds one write (a job
 * has 350 KB at most). The limit is a little longer than the connection's limit for a command.
 */
const FLUSHES = {
  bulkFrom: 2,
  maxBatchSize: 64,
  maxBatchesInFlight: 2,
  besideFrom: 1,
  patienceMs: 50,
  flushLimitMs: 3_000,
};

/** A Sentinel or node that named a replica may name it again. */
const LOOK_AGAIN_MS = 1_000;

/**
 * Connects, and keeps connecting. Takes no job before Redis has shown, on this connection, that it
 * keeps what it acknowledges.
 */
export function openRedisQueue(settings: RedisQueueSettings, parentLog: Log): NotificationQueue {
  const log = parentLog.child({ queue: queueName(settings) });
  const redis = producerRedis(placeOf(settings));
  const queue = new Queue<NotificationJob>(NOTIFICATION_QUEUE, {
    ...eventStream,
    connection: redis,
    prefix: settings.prefix,
    // Its version check asks once, on the first connection, and a failure there would be permanent.
    skipVersionCheck: true,
  });
  const onReplicas =
    settings.waitReplicas > 0 ? replicaBarrier(redis, settings.waitReplicas) : null;

  if (settings.durability !== 'checked') {
    log.warn(
      { durability: settings.durability },
      'the durability of Redis is not checked, because of PAYONCE_REDIS_DURABILITY',
    );
  }
  // Null until the first connection was made or failed.
  let lastError: string | null = null;
  let connectedAtMs = 0;
  const monitor = startMonitor(check, log);

  async function check(): Promise<QueueState> {
    if (redis.status !== 'ready') {
      return lastError ? { state: 'down', reason: lastError } : { state: 'starting' };
    }
    await withDeadline(queue.waitUntilReady(), 2_000, 'connecting');
    const full = await memoryFault(redis);
    if (full) return { state: 'down', reason: `full: ${full}` };
    if (settings.durability !== 'checked') return { state: 'ready' };
    const report = await readRedisReport(redis);
    const faults = durabilityFaults(report, settings.waitReplicas);
    if (faults.length === 0) return { state: 'ready' };
    const reason = `not durable: ${faults.join(', ')}`;
    if (report.role !== 'master') lookElsewhere(reason);
    return { state: 'down', reason };
  }

  /**
   * A former master reports its new role only in reply to an add, and it gets none. So this
   * disconnects, once a second at most.
   */
  function lookElsewhere(reason: string): void {
    if (performance.now() - connectedAtMs < LOOK_AGAIN_MS) return;
    lastError = reason;
    redis.disconnect(true);
  }

  // Both emit what the monitor already reports; without a listener an error would end the process.
  queue.on('error', () => {});
  redis.on('error', (error: Error) => {
    lastError = messageOf(error);
  });
  let connectionsLost = 0;
  redis.on('close', () => {
    connectionsLost += 1;
    monitor.lost(lastError ?? 'connection lost');
  });
  redis.on('ready', () => {
    lastError = 'connection lost';
    connectedAtMs = performance.now();
    monitor.checkNow();
  });

  /**
   * Writes, then waits for replicas. One wait covers all items, on the same connection, since WAIT
   * concerns only that connection's writes.
   */
  async function durably(add: () => Promise<unknown>): Promise<void> {
    // On a connection that is not ready an add can stay pending without end.
    if (redis.status !== 'ready') {
      throw new AppError('queue_unavailable', { detail: describeState(monitor.state) });
    }
    const lostBefore = connectionsLost;
    await add();
    await onReplicas?.();
    // A later connection, maybe to a promoted replica, knows nothing of the writes of this one.
    if (connectionsLost !== lostBefore) {
      throw new AppError('queue_unavailable', { detail: 'the connection was lost meanwhile' });
    }
  }

  const add = coalesce<NewJob>(
    {
      addAll: (jobs) => durably(() => queue.addBulk(jobs.map(queuedJob))),
      addOne: (job) => {
        const { name, data, opts } = queuedJob(job);
        return durably(() => queue.add(name, data, opts));
      },
    },
    FLUSHES,
  );

  return {
    name: queueName(settings),
    get state() {
      return monitor.state;
    },
    async enqueue(job, limitMs) {
      if (monitor.state.state !== 'ready') {
        throw new AppError('queue_unavailable', { detail: describeState(monitor.state) });
      }
      try {
        await add(job, limitMs);
        return queueName(settings);
      } catch (cause) {
        if (cause instanceof AppError) throw cause;
        throw new AppError('queue_unavailable', { cause });
      }
    },
    async close() {
      monitor.stop();
      await queue.close();
      // No replies are pending: the gateway closes the queue after its last reply.
      redis.disconnect();
    },
  };
}
