import { z } from 'zod';
import { count, type Env, readEnv, storeUrl } from '../config/env.js';
import { ConfigError } from '../runtime/errors.js';
import { type RedisTopology, readRedisTopology } from './redis-settings.js';

/**
 * The stores in use, the preferred one first: Redis with PostgreSQL as its standby, or one of them
 * alone.
 */
export type QueueStores =
  | readonly [RedisStoreSettings | PostgresQueueSettings]
  | readonly [RedisStoreSettings, PostgresQueueSettings];

/** One queue in one store: a shard in Redis, or the queue in PostgreSQL. */
export type QueueSettings = RedisQueueSettings | PostgresQueueSettings;

/** Redis as configured: `shards` queues, each with a prefix derived from this one (`shards.ts`). */
export interface RedisStoreSettings extends Omit<RedisQueueSettings, 'shard'> {
  readonly shards: number;
}

export interface RedisQueueSettings {
  readonly kind: 'redis';
  /** From 0 on. */
  readonly shard: number;
  readonly topology: RedisTopology;
  /** Keys are `<prefix>:notifications:…`. */
  readonly prefix: string;
  /**
   * `checked`: Redis must show that it keeps acknowledged jobs. For `managed` (a service that
   * refuses `CONFIG`) and `relaxed` (some loss is acceptable) the operator vouches for it.
   */
  readonly durability: 'checked' | 'managed' | 'relaxed';
  /** How many replicas must have a job before it is acknowledged. */
  readonly waitReplicas: number;
}

export interface PostgresQueueSettings {
  readonly kind: 'postgres';
  /** Direct, not through PgBouncer: LISTEN needs a session. */
  readonly url: string;
  readonly schema: string;
  /** The old queue, in the database of the orders: workers drain it, and nothing adds to it. */
  readonly old?: true;
}

/** Each costs every gateway one connection and every worker three. */
export const MOST_SHARDS = 64;

/** The schema that the migration tool creates for the queue, apart from the orders. */
const QUEUE_SCHEMA = 'payonce_queue';

const queueEnv = {
  PAYONCE_QUEUE: z.enum(['redis', 'postgres']).default('redis'),
  PAYONCE_QUEUE_DATABASE_URL: storeUrl('postgres:', 'postgresql:').optional(),
  PAYONCE_QUEUE_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_{}-]{1,64}$/, 'must be 1 to 64 of A-Z, a-z, 0-9, _, -, { and }')
    .default('payonce'),
  PAYONCE_QUEUE_SCHEMA: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'must be a plain lower-case name')
    .default(QUEUE_SCHEMA),
  PAYONCE_REDIS_DURABILITY: z.enum(['checked', 'managed', 'relaxed']).default('checked'),
  PAYONCE_REDIS_WAIT_REPLICAS: count(0, 0, 10),
  PAYONCE_QUEUE_SHARDS: count(1, 1, MOST_SHARDS),
};

/**
 * `PAYONCE_QUEUE=redis` (the default) uses `PAYONCE_QUEUE_DATABASE_URL`, if set, as its standby.
 * `PAYONCE_QUEUE=postgres` uses that database alone.
 * @throws ConfigError with all faults
 */
export function readQueueSettings(env: Env): QueueStores {
  const read = readEnv(queueEnv, env);
  const { PAYONCE_QUEUE_DATABASE_URL: databaseUrl } = read;
  const inPostgres = (url: string): PostgresQueueSettings => ({
    kind: 'postgres',
    url,
    schema: read.PAYONCE_QUEUE_SCHEMA,
  });
  if (read.PAYONCE_QUEUE === 'postgres') {
    return [inPostgres(demand(databaseUrl, 'PAYONCE_QUEUE_DATABASE_URL'))];
  }
  const topology = readRedisTopology(env);
  const { PAYONCE_REDIS_WAIT_REPLICAS: waitReplicas } = read;
  if (topology.kind !== 'single' && waitReplicas < 1) {
    // A promoted replica must have the acknowledged jobs.
    const fault = `PAYONCE_REDIS_WAIT_REPLICAS: must be at least 1 with a ${topology.kind}`;
    throw new ConfigError([fault]);
  }
  const redis: RedisStoreSettings = {
    kind: 'redis',
    topology,
    prefix: read.PAYONCE_QUEUE_PREFIX,
    durability: read.PAYONCE_REDIS_DURABILITY,
    waitReplicas,
    shards: read.PAYONCE_QUEUE_SHARDS,
  };
  return databaseUrl === undefined ? [redis] : [redis, inPostgres(databaseUrl)];
}

function demand(url: string | undefined, name: string): string {
  if (url === undefined) throw new ConfigError([`${name}: is not set`]);
  return url;
}
