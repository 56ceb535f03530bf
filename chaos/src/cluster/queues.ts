import { createPostgresBackend, Queue, withBackend } from 'bullmq';
import { Redis } from 'ioredis';

/** Both queues as an operator sees them, past the proxies. */
export interface Queues {
  /**
   * Does what time would do: completed jobs are kept an hour, providers re-send for 25. @returns
   * how many
   */
  forgetCompleted(): Promise<number>;
  /** Unfinished jobs, in both. @throws while a store is down */
  waiting(): Promise<number>;
  /** On Redis itself. */
  command(name: string, ...args: string[]): Promise<unknown>;
  close(): Promise<void>;
}

const QUEUE = 'notifications';
const NOT_DONE = ['wait', 'active', 'delayed', 'failed', 'prioritized'] as const;
const Backed = withBackend(createPostgresBackend);

export function openQueues(redisUrl: string, queueDatabaseUrl: string): Queues {
  // For stores under faults: it fails soon, and reconnects by itself.
  const redis = new Redis(redisUrl, {
    maxRetriesPerRequest: 1,
    commandTimeout: 3_000,
    retryStrategy: () => 500,
  });
  redis.on('error', () => {});
  const inRedis = new Queue(QUEUE, {
    connection: redis,
    prefix: 'payonce',
    skipVersionCheck: true,
  });
  const inPostgres = new Backed.Queue(QUEUE, {
    connection: {
      connectionString: queueDatabaseUrl,
      schema: 'payonce_queue',
      max: 2,
      connectionTimeoutMillis: 2_000,
      query_timeout: 3_000,
    },
  });
  const queues = [inRedis, inPostgres];
  for (const queue of queues) queue.on('error', () => {});
  return {
    async forgetCompleted() {
      const removed = await Promise.all(
        queues.map((queue) => queue.clean(0, 100_000, 'completed')),
      );
      return removed.flat().length;
    },
    async waiting() {
      const counts = await Promise.all(queues.map((queue) => queue.getJobCounts(...NOT_DONE)));
      return counts.flatMap((one) => Object.values(one)).reduce((sum, count) => sum + count, 0);
    },
    command: (name, ...args) => redis.call(name, ...args),
    async close() {
      await Promise.allSettled(queues.map((queue) => queue.close()));
      redis.disconnect();
    },
  };
}
