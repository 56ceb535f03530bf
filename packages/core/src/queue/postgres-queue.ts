import { createPostgresBackend, withBackend } from 'bullmq';
import pg from 'pg';
import { withDeadline } from '../deadline.js';
import { AppError, messageOf } from '../errors.js';
import type { Log } from '../log.js';
import { coalesce } from './coalesce.js';
import { postgresConnection } from './connection.js';
import { type NewJob, NOTIFICATION_QUEUE, type NotificationJob } from './job.js';
import { queuedJob } from './job-options.js';
import { startMonitor } from './monitor.js';
import { describeState, type NotificationQueue, type QueueState } from './notification-queue.js';
import { postgresFaults } from './postgres-durability.js';
import type { PostgresQueueSettings } from './queue-settings.js';

const Backed = withBackend(createPostgresBackend);
/** Four connections for adds and one for checks: the gateway's part of `max_connections`. */
const POOL_SIZE = 4;
/** Longer than the gateway waits (2.0 s in all): frees the connection of an abandoned add. */
const QUERY_TIMEOUT_MS = 2_500;
/**
 * BullMQ's `addBulk` creates two temporary tables, as much work as eight single adds. So small
 * groups are added concurrently, and a second flush starts only when it is full. The last limit
 * covers a new connection and its query.
 */
const FLUSHES = {
  bulkFrom: 8,
  maxBatchSize: 64,
  maxBatchesInFlight: 2,
  besideFrom: 64,
  patienceMs: 50,
  flushLimitMs: 4_500,
};

/**
 * Connects, and keeps connecting. Takes no job before PostgreSQL has shown that it keeps its
 * commits.
 */
export function openPostgresQueue(
  settings: PostgresQueueSettings,
  parentLog: Log,
): NotificationQueue {
  const log = parentLog.child({ queue: 'postgres' });
  const probe = new pg.Pool({
    connectionString: settings.url,
    max: 1,
    connectionTimeoutMillis: 1_500,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
  });
  let queue: ReturnType<typeof openQueue> | null = null;
  let closed = false;
  const monitor = startMonitor(check, log);
  // An idle connection that drops emits this; without a listener it would end the process.
  probe.on('error', (error) => monitor.lost(messageOf(error)));

  async function check(): Promise<QueueState> {
    const faults = await postgresFaults(probe);
    if (faults.length > 0) return { state: 'down', reason: `not durable: ${faults.join(', ')}` };
    queue ??= await start();
    return { state: 'ready' };
  }

  /** A backend keeps its first failure permanently, so every attempt opens a new one. */
  async function start(): Promise<ReturnType<typeof openQueue>> {
    const attempt = openQueue(settings);
    attempt.on('error', (error) => monitor.lost(messageOf(error)));
    try {
      await withDeadline(attempt.waitUntilReady(), 5_000, 'starting the queue');
      if (closed) throw new Error('closed');
      return attempt;
    } catch (error) {
      attempt.close().catch(() => {});
      throw error;
    }
  }

  function started(): ReturnType<typeof openQueue> {
    if (queue) return queue;
    throw new AppError('queue_unavailable', { detail: describeState(monitor.state) });
  }

  const add = coalesce<NewJob>(
    {
      addAll: async (jobs) => {
        // Sorted, since two gateways that insert the same jobs wait for each other's rows.
        const sorted = jobs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
        await started().addBulk(sorted.map(queuedJob));
      },
      addOne: async (job) => {
        const { name, data, opts } = queuedJob(job);
        await started().add(name, data, opts);
      },
    },
    FLUSHES,
  );

  return {
    name: 'postgres',
    get state() {
      return monitor.state;
    },
    async enqueue(job, limitMs) {
      if (monitor.state.state !== 'ready') {
        throw new AppError('queue_unavailable', { detail: describeState(monitor.state) });
      }
      try {
        await add(job, limitMs);
        return 'postgres';
      } catch (cause) {
        monitor.checkNow();
        if (cause instanceof AppError) throw cause;
        throw new AppError('queue_unavailable', { cause });
      }
    },
    async close() {
      closed = true;
      monitor.stop();
      await Promise.all([queue?.close(), probe.end()]);
    },
  };
}

function openQueue(settings: PostgresQueueSettings) {
  return new Backed.Queue<NotificationJob>(NOTIFICATION_QUEUE, {
    connection: postgresConnection(settings, {
      poolSize: POOL_SIZE,
      connectTimeoutMs: 1_500,
      queryTimeoutMs: QUERY_TIMEOUT_MS,
    }),
  });
}
