import {
  collectFaults,
  count,
  type Env,
  logEnv,
  privateEnv,
  readEnv,
  storeUrl,
} from '@payonce/core/config/env';
import { type QueueSettings, readQueueSettings } from '@payonce/core/queue/queue-settings';
import { z } from 'zod';

const DEFAULT_PRIVATE_PORT = 8602;

const workerEnv = {
  ...logEnv,
  ...privateEnv(DEFAULT_PRIVATE_PORT),
  DATABASE_URL: storeUrl('postgres:', 'postgresql:'),
  PAYONCE_CHANNELS_FILE: z.string().default('channels.yaml'),
  NODE_ENV: z.string().optional(),
  // Two full batches wait while one commits: measured fastest on two cores with batches of 200.
  PAYONCE_WORKER_CONCURRENCY: count(400, 1, 10_000),
  // Larger ones hold their locks longer and gain nothing.
  PAYONCE_WORKER_BATCH_SIZE: count(200, 1, 1_000),
  // Each batch in flight holds one connection of the pool.
  PAYONCE_WORKER_BATCHES_IN_FLIGHT: count(3, 1, 50),
  // The batches, the schedules, dead letters and the readiness check, with some to spare.
  PAYONCE_WORKER_DATABASE_POOL: count(8, 2, 100),
  PAYONCE_WORKER_RELEASE_INTERVAL_MS: count(15_000, 100, 3_600_000),
  PAYONCE_WORKER_RELEASE_BATCH_SIZE: count(200, 1, 1_000),
  // An orchestrator kills after 30 s by custom.
  PAYONCE_WORKER_DRAIN_LIMIT_MS: count(20_000, 100, 600_000),
};

export interface WorkerConfig {
  readonly logLevel: z.output<(typeof logEnv)['PAYONCE_LOG_LEVEL']>;
  readonly privateHost: string;
  readonly privatePort: number;
  readonly databaseUrl: string;
  readonly databasePool: number;
  readonly channelsFile: string;
  /** Refuses simulated channels. */
  readonly production: boolean;
  /** Every queue this worker takes jobs from. */
  readonly queues: readonly QueueSettings[];
  readonly sizes: WorkerSizes;
  readonly releaseIntervalMs: number;
  readonly releaseBatchSize: number;
  readonly drainLimitMs: number;
}

export interface WorkerSizes {
  /** Jobs in hand at once, per queue. */
  readonly concurrency: number;
  readonly batchSize: number;
  readonly batchesInFlight: number;
}

/** @throws ConfigError with every fault at once, by name, never with a value */
export function readConfig(env: Env): WorkerConfig {
  const { own, queue } = collectFaults({
    own: () => readEnv(workerEnv, env),
    queue: () => readQueueSettings(env),
  });
  return {
    logLevel: own.PAYONCE_LOG_LEVEL,
    privateHost: own.PAYONCE_PRIVATE_HOST,
    privatePort: own.PAYONCE_PRIVATE_PORT,
    databaseUrl: own.DATABASE_URL,
    databasePool: own.PAYONCE_WORKER_DATABASE_POOL,
    channelsFile: own.PAYONCE_CHANNELS_FILE,
    production: own.NODE_ENV === 'production',
    queues: [queue],
    sizes: {
      concurrency: own.PAYONCE_WORKER_CONCURRENCY,
      batchSize: own.PAYONCE_WORKER_BATCH_SIZE,
      batchesInFlight: own.PAYONCE_WORKER_BATCHES_IN_FLIGHT,
    },
    releaseIntervalMs: own.PAYONCE_WORKER_RELEASE_INTERVAL_MS,
    releaseBatchSize: own.PAYONCE_WORKER_RELEASE_BATCH_SIZE,
    drainLimitMs: own.PAYONCE_WORKER_DRAIN_LIMIT_MS,
  };
}
