import type { PostgresPoolConfig } from 'bullmq';
import { Redis } from 'ioredis';
import type { PostgresQueueSettings } from './queue-settings.js';
import { type RedisPlace, serverOf } from './redis-place.js';

/** A store that comes back is found within two seconds; it is never given up. */
function retryStrategy(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 10), 2_000);
}

/**
 * The connection that the gateway adds jobs on. It fails instead of waiting: a command that is kept for
 * later is an HTTP reply that never comes.
 */
export function producerRedis(place: RedisPlace): Redis {
  const { url, ...server } = serverOf(place);
  const options = {
    ...server,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    // Longer than the gateway waits for the queue (its deadline is 2.0 s in all): frees what it gave up.
    commandTimeout: 2_500,
    // A Redis that hangs is disconnected, and looked for again.
    socketTimeout: 3_000,
    keepAlive: 10_000,
    retryStrategy,
    // It fails this time; the next add finds the new master.
    reconnectOnError: isElsewhere,
  };
  return url === undefined ? new Redis(options) : new Redis(url, options);
}

/** For BullMQ workers: commands wait until the store is back. */
export function consumerRedis(place: RedisPlace) {
  return {
    ...serverOf(place),
    maxRetriesPerRequest: null,
    connectTimeout: 5_000,
    // A link on which nothing comes any more is made anew. Longer than BullMQ blocks for a job (10 s at most).
    socketTimeout: 30_000,
    keepAlive: 10_000,
    retryStrategy,
    // 2: the command, which did nothing, is sent again to the new master.
    reconnectOnError: (error: Error) => (isElsewhere(error) ? 2 : false) as 2 | false,
  };
}

/** For pages and APIs that look at the queue: a request fails rather than waits. */
export function readerRedis(place: RedisPlace) {
  return {
    ...serverOf(place),
    maxRetriesPerRequest: 1,
    connectTimeout: 2_000,
    commandTimeout: 5_000,
    socketTimeout: 6_000,
    keepAlive: 10_000,
    retryStrategy,
    reconnectOnError: isElsewhere,
  };
}

/** The same for those who ask without BullMQ. */
export function connectReader(place: RedisPlace): Redis {
  const { url, ...options } = readerRedis(place);
  return url === undefined ? new Redis(options) : new Redis(url, options);
}

/** What a server says that is not, or no longer, the master of these keys. */
function isElsewhere({ message }: Error): boolean {
  return /^(MOVED|READONLY) /.test(message);
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
