import { readChannelFile } from '@payonce/core/config/channel-file';
import type { Channels } from '@payonce/core/config/channels';
import {
  collectFaults,
  count,
  counts,
  databaseEnv,
  type Env,
  logEnv,
  privateEnv,
  readEnv,
} from '@payonce/core/config/env';
import type { KeepCompleted } from '@payonce/core/queue/job-options';
import { type QueueStores, readQueueSettings } from '@payonce/core/queue/queue-settings';
import type { DatabaseDurability } from '@payonce/orders/database/faults';
import { RETRY_AFTER_MS } from '@payonce/orders/deliveries/retry';
import { readAddressPolicy, webhookEnv } from '@payonce/orders/deliveries/webhook-settings';
import { readDeclaredEndpoints } from '@payonce/orders/endpoints/declared';
import type { DeliveryConfig } from './order-events.js';

const DEFAULT_PRIVATE_PORT = 8602;

const workerEnv = {
  ...logEnv,
  ...privateEnv(DEFAULT_PRIVATE_PORT),
  ...databaseEnv,
  // Two full batches gather while others commit: fastest on two cores, with batches of 200.
  PAYONCE_WORKER_CONCURRENCY: count(400, 1, 10_000),
  // Larger ones hold their locks longer and gain nothing.
  PAYONCE_WORKER_BATCH_SIZE: count(200, 1, 1_000),
  // Each batch in flight holds one connection of the pool.
  PAYONCE_WORKER_BATCHES_IN_FLIGHT: count(3, 1, 50),
  // The batches, three for locked orders, the schedule, dead letters and the readiness check.
  PAYONCE_WORKER_DATABASE_POOL: count(8, 2, 100),
  // Completed jobs are applied again if the database goes back in time. Each costs Redis 1 KB.
  PAYONCE_WORKER_KEEP_COMPLETED_HOURS: count(1, 1, 168),
  PAYONCE_WORKER_KEEP_COMPLETED_JOBS: count(5_000, 100, 100_000_000),
  PAYONCE_WORKER_RELEASE_INTERVAL_MS: count(15_000, 100, 3_600_000),
  PAYONCE_WORKER_RELEASE_BATCH_SIZE: count(200, 1, 1_000),
  // A batch takes a second at most; a lost connection is replaced within two.
  PAYONCE_WORKER_STUCK_LIMIT_MS: count(60_000, 1_000, 3_600_000),
  // Alipay sends for 25 hours, WeChat Pay for 24: after that no provider releases the event.
  PAYONCE_HELD_DEADLINE_HOURS: count(25, 1, 8_760),
  // A dispute takes weeks to come up.
  PAYONCE_RETENTION_DAYS: count(90, 1, 36_500),
  ...webhookEnv,
  // Attempts mostly wait for a response; each is a socket.
  PAYONCE_WORKER_DELIVERY_CONCURRENCY: count(64, 1, 1_000),
  // The number of orders that a merchant's system receives at once.
  PAYONCE_WORKER_DELIVERY_PER_ENDPOINT: count(8, 1, 100),
  // This process delivers its order events at once; the poll is for those of other processes.
  PAYONCE_WORKER_DELIVERY_POLL_MS: count(1_000, 20, 60_000),
  // A week at most from one attempt to the next.
  PAYONCE_WEBHOOK_RETRY_SECONDS: counts(
    RETRY_AFTER_MS.map((ms) => ms / 1_000),
    1,
    604_800,
  ),
  // Longer than a weekend.
  PAYONCE_WEBHOOK_DISABLE_AFTER_DAYS: count(5, 1, 365),
};

/**
 * Shorter than the whole drain: a hanging merchant's system must not keep the worker from closing
 * its queues.
 */
const DELIVERY_DRAIN_MS = 5_000;

export interface WorkerConfig {
  readonly privateHost: string;
  readonly privatePort: number;
  readonly databaseUrl: string;
  readonly databasePool: number;
  readonly databaseDurability: DatabaseDurability;
  readonly channels: Channels;
  /** Reads them again. @throws ConfigError with all faults at once */
  readonly readChannels: () => Channels;
  /** The queues from which this worker takes jobs. */
  readonly queues: QueueStores;
  readonly sizes: WorkerSizes;
  readonly keepCompleted: KeepCompleted;
  readonly releaseIntervalMs: number;
  readonly releaseBatchSize: number;
  /** How long jobs may wait while none is taken, before the worker counts as not alive. */
  readonly stuckLimitMs: number;
  /** How long an event may wait for its order before an alert. */
  readonly heldDeadlineMs: number;
  /** How long raw bytes of decided and delivered notifications are kept. */
  readonly retentionMs: number;
  readonly deliveries: DeliveryConfig;
}

export interface WorkerSizes {
  /** Jobs under way at once, in each store. */
  readonly concurrency: number;
  readonly batchSize: number;
  readonly batchesInFlight: number;
}

/**
 * Reads the environment and the channel file with its keys. @throws ConfigError with all faults at
 * once
 */
export function readConfig(env: Env): WorkerConfig {
  const { own, queues, channels, policy, declared } = collectFaults({
    own: () => readEnv(workerEnv, env),
    queues: () => readQueueSettings(env),
    channels: () => readChannelFile(env),
    policy: () => readAddressPolicy(env),
    declared: () => readDeclaredEndpoints(env, readAddressPolicy(env)),
  });
  return {
    privateHost: own.PAYONCE_PRIVATE_HOST,
    privatePort: own.PAYONCE_PRIVATE_PORT,
    databaseUrl: own.DATABASE_URL,
    databasePool: own.PAYONCE_WORKER_DATABASE_POOL,
    databaseDurability: own.PAYONCE_DATABASE_DURABILITY,
    channels,
    readChannels: () => readFile(env).channels,
    queues,
    sizes: {
      concurrency: own.PAYONCE_WORKER_CONCURRENCY,
      batchSize: own.PAYONCE_WORKER_BATCH_SIZE,
      batchesInFlight: own.PAYONCE_WORKER_BATCHES_IN_FLIGHT,
    },
    keepCompleted: {
      age: own.PAYONCE_WORKER_KEEP_COMPLETED_HOURS * 3_600,
      count: own.PAYONCE_WORKER_KEEP_COMPLETED_JOBS,
    },
    releaseIntervalMs: own.PAYONCE_WORKER_RELEASE_INTERVAL_MS,
    releaseBatchSize: own.PAYONCE_WORKER_RELEASE_BATCH_SIZE,
    stuckLimitMs: own.PAYONCE_WORKER_STUCK_LIMIT_MS,
    heldDeadlineMs: own.PAYONCE_HELD_DEADLINE_HOURS * 3_600_000,
    retentionMs: own.PAYONCE_RETENTION_DAYS * 24 * 3_600_000,
    deliveries: {
      encryptionKeys: own.PAYONCE_ENCRYPTION_KEY ?? null,
      policy,
      scheduleMs: own.PAYONCE_WEBHOOK_RETRY_SECONDS.map((seconds) => seconds * 1_000),
      disableAfterMs: own.PAYONCE_WEBHOOK_DISABLE_AFTER_DAYS * 24 * 3_600_000,
      sizes: {
        concurrency: own.PAYONCE_WORKER_DELIVERY_CONCURRENCY,
        perEndpoint: own.PAYONCE_WORKER_DELIVERY_PER_ENDPOINT,
        pollMs: own.PAYONCE_WORKER_DELIVERY_POLL_MS,
        drainMs: DELIVERY_DRAIN_MS,
      },
      declared,
      readDeclared: () => readFile(env).declared,
    },
  };
}

/** Both parts of the file or none: a fault in one keeps the other unchanged. */
function readFile(env: Env) {
  return collectFaults({
    channels: () => readChannelFile(env),
    declared: () => readDeclaredEndpoints(env, readAddressPolicy(env)),
  });
}
