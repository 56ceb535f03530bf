import type { CurrentChannels } from '@payonce/core/config/live-channels';
import { KEEP_COMPLETED, type KeepCompleted } from '@payonce/core/queue/job-options';
import type { QueueSettings } from '@payonce/core/queue/queue-settings';
import { queueName } from '@payonce/core/queue/shards';
import { createBatcher } from '@payonce/core/runtime/batcher';
import type { Log } from '@payonce/core/runtime/log';
import type { DeadLetterInput } from '@payonce/orders/notifications/records/dead-letter';
import type {
  ApplyOutcome,
  VerifiedNotification,
} from '@payonce/orders/notifications/records/notification';
import { type BatchAges, createBatchAges } from './batch/batch-ages.js';
import { describeNotifications } from './batch/batch-line.js';
import { Lanes } from './batch/lanes.js';
import type { OrdersDatabase } from './batch/orders-database.js';
import type { WorkerSizes } from './config.js';
import { createJobWaits, type JobWaits, type WaitReason } from './consume/job-waits.js';
import { type ProcessJobDeps, processJob } from './consume/process-job.js';
import {
  openQueueConsumer,
  type QueueConsumer,
  type QueueConsumerOptions,
} from './consume/queue-consumer.js';
import { countResults, type WorkerMetrics } from './metrics/worker-metrics.js';

export interface WorkerOptions {
  readonly queues: readonly QueueSettings[];
  readonly channels: CurrentChannels;
  readonly database: OrdersDatabase;
  readonly sizes: WorkerSizes;
  readonly keepCompleted?: KeepCompleted;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
  readonly deadLetterRetryMs?: number;
  readonly failedSweepIntervalMs?: number;
}

export interface NotificationWorker {
  /** Grows with `add`. */
  readonly consumers: readonly QueueConsumer[];
  readonly waits: JobWaits;
  readonly batches: BatchAges;
  /** Takes jobs from one more queue. */
  add(queue: QueueSettings): QueueConsumer;
  /** Takes no more jobs from it. */
  remove(consumer: QueueConsumer): Promise<void>;
  /** Takes no more jobs, finishes the running batches, closes the queues. */
  close(): Promise<void>;
}

/**
 * A job whose dead letter cannot be written although the database responds needs a person. It is
 * retried once a minute.
 */
const DEAD_LETTER_RETRY_MS = 60_000;
const FAILED_SWEEP_INTERVAL_MS = 60_000;

/** Locked orders that are waited for: a connection each. */
const LANES_AT_ONCE = 2;

/**
 * On PostgreSQL a separate statement completes each job, on a pool of four, some hundreds a second.
 * With more jobs under way the last ones would exceed the pool's wait limit.
 */
const POSTGRES_CONCURRENCY = 100;

/** Takes jobs from every queue and applies them in batches that all queues share. */
export function startWorker(options: WorkerOptions): NotificationWorker {
  const waits = createJobWaits();
  const batches = createBatchAges();
  const batching = createBatching(options, batches);
  const consumers: QueueConsumer[] = [];
  const add = (settings: QueueSettings) => {
    const process = processor(options, settings, waits, batching.submit);
    const consumer = openQueueConsumer({
      settings,
      concurrency: concurrencyOf(options, settings),
      keepCompleted: options.keepCompleted ?? KEEP_COMPLETED,
      log: options.log,
      failedSweepIntervalMs: options.failedSweepIntervalMs ?? FAILED_SWEEP_INTERVAL_MS,
      processJob: process,
    });
    consumers.push(consumer);
    return consumer;
  };
  options.queues.forEach(add);
  return {
    consumers,
    waits,
    batches,
    add,
    async remove(consumer) {
      consumers.splice(consumers.indexOf(consumer), 1);
      await consumer.close();
    },
    async close() {
      // Closing a consumer waits for its jobs, and so for their batches; then the batcher is empty.
      await Promise.all(consumers.map((consumer) => consumer.close()));
      await batching.close();
    },
  };
}

/** The jobs under way in one queue: Redis shards share the worker's. */
function concurrencyOf({ queues, sizes }: WorkerOptions, { kind }: QueueSettings): number {
  if (kind === 'postgres') return Math.min(sizes.concurrency, POSTGRES_CONCURRENCY);
  const shards = queues.filter((one) => one.kind === 'redis').length;
  return Math.ceil(sizes.concurrency / Math.max(shards, 1));
}

/**
 * Batches of notifications: unlocked ones, those that may be locked, and a lane for each locked
 * order.
 */
function createBatching(options: WorkerOptions, batches: BatchAges) {
  const { database, sizes } = options;
  const batcherOf = (maxBatchesInFlight: number) =>
    createBatcher<VerifiedNotification, ApplyOutcome>({
      apply: (batch) => applyBatch(options, batches, database.apply, batch),
      maxBatchSize: sizes.batchSize,
      maxBatchesInFlight,
    });
  const together = batcherOf(sizes.batchesInFlight);
  // For jobs that were locked for long: one connection, however many there are.
  const perhapsLocked = batcherOf(1);
  const lanes = new Lanes<VerifiedNotification, ApplyOutcome>({
    together: together.submit,
    inTurn: (batch) => applyBatch(options, batches, database.applyInTurn ?? database.apply, batch),
    keyOf: ordersOf,
    maxBatchSize: sizes.batchSize,
    maxAtOnce: LANES_AT_ONCE,
    room: Math.ceil(sizes.concurrency / 2),
  });
  return {
    submit: (notification: VerifiedNotification, mayBeLocked: boolean) =>
      mayBeLocked ? perhapsLocked.submit(notification) : lanes.submit(notification),
    close: () => Promise.all([together.close(), perhapsLocked.close()]),
  };
}

/** Processes the jobs of one queue. */
function processor(
  options: WorkerOptions,
  settings: QueueSettings,
  waits: JobWaits,
  submit: ProcessJobDeps['submit'],
): QueueConsumerOptions['processJob'] {
  const { channels, metrics } = options;
  const queue = queueName(settings);
  const deps = {
    submit,
    waits,
    onPutBack: (reason: WaitReason) => metrics.deferrals.inc({ reason }),
    deadLetterRetryMs: options.deadLetterRetryMs ?? DEAD_LETTER_RETRY_MS,
    deadLetter: (letter: Omit<DeadLetterInput, 'queue'>) =>
      storeDeadLetter(options, { ...letter, queue }),
  };
  return (job, token) => processJob({ ...deps, channels: channels() }, job, token);
}

async function storeDeadLetter(
  { database, log, metrics }: WorkerOptions,
  letter: DeadLetterInput,
): Promise<void> {
  const { queue, jobId, reason, error: detail } = letter;
  const fields = { queue, jobId, reason, detail };
  try {
    await database.deadLetter(letter);
  } catch (err) {
    log.warn({ err, ...fields }, 'dead_letter.write_failed');
    throw err;
  }
  metrics.deadLetters.inc({ reason });
  log.error(fields, 'dead_letter.written');
}

/** The orders that it names, as one text; null when it names none. */
function ordersOf({ merchant, events }: VerifiedNotification): string | null {
  const numbers = events.flatMap(({ orderNumber }) => orderNumber ?? []).sort();
  return numbers.length === 0 ? null : JSON.stringify([merchant, ...numbers]);
}

async function applyBatch(
  { log, metrics }: WorkerOptions,
  batches: BatchAges,
  apply: OrdersDatabase['apply'],
  batch: readonly VerifiedNotification[],
): Promise<readonly PromiseSettledResult<ApplyOutcome>[]> {
  const start = performance.now();
  const size = batch.length;
  const over = batches.began();
  try {
    const results = await apply(batch);
    const ms = Math.round(performance.now() - start);
    metrics.batchSize.observe(size);
    metrics.batchSeconds.observe(ms / 1_000);
    const notifications = describeNotifications(batch, results);
    const counts = countResults(metrics, results);
    log.info({ size, ms, ...counts, notifications }, 'notifications.applied');
    return results;
  } catch (err) {
    const ms = Math.round(performance.now() - start);
    metrics.batchFailures.inc();
    const notifications = describeNotifications(batch, []);
    log.warn({ err, size, ms, notifications }, 'notifications.not_applied');
    throw err;
  } finally {
    over();
  }
}
