import type { PostgresPoolConfig } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { PostgresQueueSettings } from './queue-settings.js';
import { type RedisTarget, serverOf } from './redis-target.js';
import { REDIS_COMMAND_TIMEOUT_MS } from './time-limits.js';

/** Reconnects within two seconds after a store returns, and never stops trying. */
function retryStrategy(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 10), 2_000);
}

/**
 * The connection on which the gateway adds jobs. A command fails instead of waiting: a command that
 * is kept for later means an HTTP reply that never comes.
 */
export function producerRedis(target: RedisTarget): Redis {
  const { url, ...server } = serverOf(target);
  const options = {
    ...server,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: REDIS_COMMAND_TIMEOUT_MS,
    // Disconnects a Redis that hangs, and connects again.
    socketTimeout: 3_000,
    keepAlive: 10_000,
    retryStrategy,
    // This add fails; the next one finds the new master.
    reconnectOnError: isElsewhere,
  };
  return url === undefined ? new Redis(options) : new Redis(url, options);
}

/** For BullMQ workers: commands wait until the store returns. */
export function consumerRedis(target: RedisTarget) {
  return {
    ...serverOf(target),
    maxRetriesPerRequest: null,
    connectTimeout: 5_000,
    // Replaces a silent connection. Longer than BullMQ blocks for a job (10 s at most).
    socketTimeout: 30_000,
    keepAlive: 10_000,
    retryStrategy,
    // 2: resends the command, which had no effect, to the new master.
    reconnectOnError: (error: Error) => (isElsewhere(error) ? 2 : false) as 2 | false,
  };
}

/** For pages and APIs that read the queue: a request fails rather than waits. */
export function readerRedis(target: RedisTarget) {
  return {
    ...serverOf(target),
    maxRetriesPerRequest: 1,
    connectTimeout: 2_000,
    commandTimeout: 5_000,
    socketTimeout: 6_000,
    keepAlive: 10_000,
    retryStrategy,
    reconnectOnError: isElsewhere,
  };
}

/** The same without BullMQ. */
export function connectReader(target: RedisTarget): Redis {
  const { url, ...options } = readerRedis(target);
  return url === undefined ? new Redis(options) : new Redis(url, options);
}

/** Whether the server is not, or no longer, the master of these keys. */
function isElsewhere({ message }: Error): boolean {
  return /^(MOVED|READONLY) /.test(message);
}

/**
 * A connection that the server may end between two queries. BullMQ checks one out without an
 * `error` listener as it starts, and such an error ends the process; with this one the next query
 * fails instead.
 */
class EndableClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    this.on('error', () => {});
  }
}

/**
 * BullMQ's PostgreSQL connection as a config object, since only that form takes a schema. Every
 * Queue and Worker has a separate pool, so it is small; a worker has one more connection, for
 * LISTEN.
 */
export function postgresConnection(
  settings: PostgresQueueSettings,
  limits: {
    readonly poolSize: number;
    /**
     * For a connection, new or from the pool: with many concurrent jobs their completions wait for
     * each other.
     */
    readonly connectTimeoutMs: number;
    readonly queryTimeoutMs: number;
  },
): PostgresPoolConfig {
  return {
    Client: EndableClient,
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
