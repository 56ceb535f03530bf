import { createPostgresBackend, withBackend } from 'bullmq';
import pg from 'pg';
import { withDeadline } from '../runtime/deadline.js';
import { AppError, messageOf } from '../runtime/errors.js';
import type { Log } from '../runtime/log.js';
import { postgresConnection } from './connection.js';
import { NOTIFICATION_QUEUE, type NotificationJob } from './job.js';
import { queuedJob } from './job-options.js';
import { startMonitor } from './monitor.js';
import { describeState, type QueueState } from './notification-queue.js';
import { postgresFaults } from './postgres-durability.js';
import type { PostgresQueueSettings } from './queue-settings.js';
import type { JobStore } from './store-queue.js';
import {
  POSTGRES_BATCH_LIMIT_MS,
  POSTGRES_CONNECT_TIMEOUT_MS,
  POSTGRES_QUERY_TIMEOUT_MS,
} from './time-limits.js';

const Backed = withBackend(createPostgresBackend);
type ProducerQueue = ReturnType<typeof openProducerQueue>;

/** Four connections for adds and one for checks: the gateway's part of `max_connections`. */
const POOL_SIZE = 4;
/**
 * BullMQ's `addBulk` creates two temporary tables, as much work as eight single adds. So small
 * groups are added concurrently, and a second batch starts only when it is full.
 */
const ADD_BATCHES = {
  minBulkSize: 8,
  maxBatchSize: 64,
  maxBatchesInFlight: 2,
  minConcurrentBatchSize: 64,
  slowAfterMs: 50,
  batchLimitMs: POSTGRES_BATCH_LIMIT_MS,
};

/**
 * Connects, and keeps connecting. Takes no job before PostgreSQL has shown that it keeps its
 * commits.
 */
export function openPostgresStore(settings: PostgresQueueSettings, parentLog: Log): JobStore {
  const log = parentLog.child({ queue: 'postgres' });
  const probe = openProbe(settings);
  let queue: ProducerQueue | null = null;
  let closed = false;
  const monitor = startMonitor(check, log);
  const lost = (error: unknown) => monitor.lost(messageOf(error));
  // An idle connection that drops emits this; without a listener it would end the process.
  probe.on('error', lost);

  async function check(): Promise<QueueState> {
    const faults = await postgresFaults(probe);
    if (faults.length > 0) return { state: 'down', reason: `not durable: ${faults.join(', ')}` };
    queue ??= await openStarted(settings, lost, () => closed);
    return { state: 'ready' };
  }

  function started(): ProducerQueue {
    if (queue) return queue;
    throw new AppError('queue_unavailable', { detail: describeState(monitor.state) });
  }

  return {
    name: 'postgres',
    addBatches: ADD_BATCHES,
    get state() {
      return monitor.state;
    },
    async addAll(jobs) {
      // Sorted, since two gateways that insert the same jobs wait for each other's rows.
      const sorted = jobs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      await started().addBulk(sorted.map(queuedJob));
    },
    async addOne(job) {
      const { name, data, opts } = queuedJob(job);
      await started().add(name, data, opts);
    },
    onAddFailed: () => monitor.checkNow(),
    async close() {
      closed = true;
      monitor.stop();
      await Promise.all([queue?.close(), probe.end()]);
    },
  };
}

/** The connection for checks. */
function openProbe({ url }: PostgresQueueSettings): pg.Pool {
  return new pg.Pool({
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: POSTGRES_CONNECT_TIMEOUT_MS,
    query_timeout: POSTGRES_QUERY_TIMEOUT_MS,
    keepAlive: true,
  });
}

/**
 * Opens BullMQ's queue. A backend keeps its first failure permanently, so every attempt opens a new
 * one.
 * @throws when it does not start, or when the store was closed meanwhile
 */
async function openStarted(
  settings: PostgresQueueSettings,
  onError: (error: unknown) => void,
  isClosed: () => boolean,
): Promise<ProducerQueue> {
  const attempt = openProducerQueue(settings);
  attempt.on('error', onError);
  try {
    await withDeadline(attempt.waitUntilReady(), 5_000, 'starting the queue');
    if (isClosed()) throw new Error('closed');
    return attempt;
  } catch (error) {
    attempt.close().catch(() => {});
    throw error;
  }
}

function openProducerQueue(settings: PostgresQueueSettings) {
  return new Backed.Queue<NotificationJob>(NOTIFICATION_QUEUE, {
    connection: postgresConnection(settings, {
      poolSize: POOL_SIZE,
      connectTimeoutMs: POSTGRES_CONNECT_TIMEOUT_MS,
      queryTimeoutMs: POSTGRES_QUERY_TIMEOUT_MS,
    }),
  });
}
