import type { PostgresPoolConfig } from 'bullmq';
import { Redis } from 'ioredis';
import type { PostgresQueueSettings } from './queue-settings.js';

/** A store that comes back is found within two seconds; it is never given up. */
function retryStrategy(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 10), 2_000);
}

/**
 * The connection that the gateway adds jobs on. It fails instead of waiting: a command that is kept for
 * later is an HTTP reply that never comes.
 */
export function producerRedis(url: string): Redis {
  return new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    // Longer than the gateway waits for the queue (its deadline is 2.0 s in all): frees what it gave up.
    commandTimeout: 2_500,
    // A Redis that hangs is disconnected, and looked for again.
    socketTimeout: 3_000,
    keepAlive: 10_000,
    retryStrategy,
  });
}

/** For BullMQ workers: commands wait until the store is back. */
export function consumerRedis(url: string) {
  return {
    url,
    maxRetriesPerRequest: null,
    connectTimeout: 5_000,
    // A link on which nothing comes any more is made anew. Longer than BullMQ blocks for a job (10 s at most).
    socketTimeout: 30_000,
    keepAlive: 10_000,
    retryStrategy,
  };
}

/** For pages and APIs that look at the queue: a request fails rather than waits. */
export function readerRedis(url: string) {
  return {
    url,
    maxRetriesPerRequest: 1,
    connectTimeout: 2_000,
    commandTimeout: 5_000,
    socketTimeout: 6_000,
    keepAlive: 10_000,
    retryStrategy,
  };
}

/**
 * BullMQ's PostgreSQL connection: the config-object form, since only that one takes a schema.
 * Every Queue and Worker has a pool of its own (workers one LISTEN connection more), so it is small.
 */
export function postgresConnection(
  settings: PostgresQueueSettings,
  limits: {
    readonly poolSize: number;
    /** For a connection, new or of the pool: with many jobs in hand their completions wait for each other. */
    readonly connectTimeoutMs: number;
    readonly queryTimeoutMs: number;
  },
): PostgresPoolConfig {
  return {
    connectionString: settings.url,
    schema: settings.schema,
    max: limits.poolSize,
    connectionTimeoutMillis: limits.connectTimeoutMs,
    query_timeout: limits.queryTimeoutMs,
    // Connecting costs several round trips; a quiet shop keeps its connections for a minute.
    idleTimeoutMillis: 60_000,
    keepAlive: true,
  };
}
