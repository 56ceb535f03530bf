import type { CurrentChannels } from '@payonce/core/config/live-channels';
import type { QueueSettings } from '@payonce/core/queue/queue-settings';
import { queueName } from '@payonce/core/queue/shards';
import { createBatcher } from '@payonce/core/runtime/batcher';
import type { Log } from '@payonce/core/runtime/log';
import type {
  ApplyOutcome,
  VerifiedNotification,
} from '@payonce/orders/notifications/notification';
import { type BatchAges, createBatchAges } from './batch-ages.js';
import type { WorkerSizes } from './config.js';
import { createLanes } from './lanes.js';
import { type Burial, processJob } from './process-job.js';
import { openSource, type Source } from './source.js';
import { createWaits, type Waits } from './waits.js';
import { countResults, type WorkerMetrics } from './worker-metrics.js';

/** The database functions of the worker. */
export interface WorkerStore {
  /**
   * One result per notification, in their order; AppError `locked` for a locked one. @throws for
   * all
   */
  apply(
    batch: readonly VerifiedNotification[],
  ): Promise<readonly PromiseSettledResult<ApplyOutcome>[]>;
  /**
   * The same for notifications of the same orders, which other transactions had locked: waits for
   * its turn. Without it, `apply` is used.
   */
  applyInTurn?(
    batch: readonly VerifiedNotification[],
  ): Promise<readonly PromiseSettledResult<ApplyOutcome>[]>;
  /** Resolves when the dead letter is committed. */
  bury(burial: Burial & { readonly queue: string }): Promise<void>;
}

export interface WorkerOptions {
  readonly queues: readonly QueueSettings[];
  readonly channels: CurrentChannels;
  readonly store: WorkerStore;
  readonly sizes: WorkerSizes;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
  readonly buryRetryMs?: number;
  readonly failedSweepIntervalMs?: number;
}

export interface NotificationWorker {
  /** Grows with `add`. */
  readonly sources: readonly Source[];
  readonly waits: Waits;
  readonly batches: BatchAges;
  /** Takes jobs from one more queue. */
  add(queue: QueueSettings): void;
  /** Takes no more jobs, finishes the running batches, closes the queues. */
  close(): Promise<void>;
}

/**
 * A job that cannot be buried although the database answers needs a person. It is retried once a
 * minute.
 */
const BURY_RETRY_MS = 60_000;
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
  const { channels, store, sizes, log, metrics } = options;
  const waits = createWaits();
  const batches = createBatchAges();
  const batcherOf = (maxBatchesInFlight: number) =>
    createBatcher<VerifiedNotification, ApplyOutcome>({
      apply: (batch) => applyBatch(options, batches, store.apply, batch),
      maxBatchSize: sizes.batchSize,
      maxBatchesInFlight,
    });
  const together = batcherOf(sizes.batchesInFlight);
  // For jobs that were locked for long: one connection, however many there are.
  const suspects = batcherOf(1);
  const lanes = createLanes<VerifiedNotification, ApplyOutcome>({
    together: together.submit,
    inTurn: (batch) => applyBatch(options, batches, store.applyInTurn ?? store.apply, batch),
    keyOf: ordersOf,
    maxBatchSize: sizes.batchSize,
    maxAtOnce: LANES_AT_ONCE,
    room: Math.ceil(sizes.concurrency / 2),
  });
  const sources: Source[] = [];
  const shards = options.queues.filter(({ kind }) => kind === 'redis').length;
  const open = (settings: QueueSettings) =>
    openSource({
      settings,
      concurrency:
        settings.kind === 'postgres'
          ? Math.min(sizes.concurrency, POSTGRES_CONCURRENCY)
          : Math.ceil(sizes.concurrency / Math.max(shards, 1)),
      log,
      failedSweepIntervalMs: options.failedSweepIntervalMs ?? FAILED_SWEEP_INTERVAL_MS,
      processJob: (job, token) =>
        processJob(
          {
            channels: channels(),
            submit: (notification, suspect) =>
              suspect ? suspects.submit(notification) : lanes.submit(notification),
            waits,
            onPutBack: (reason) => metrics.deferrals.inc({ reason }),
            buryRetryMs: options.buryRetryMs ?? BURY_RETRY_MS,
            bury: async (burial) => {
              const { jobId, reason, detail } = burial;
              const queue = queueName(settings);
              const fields = { queue, jobId, reason, detail };
              try {
                await store.bury({ ...burial, queue });
              } catch (err) {
                log.warn(
                  { err, ...fields },
                  'a dead letter could not be written, trying again later',
                );
                throw err;
              }
              metrics.deadLetters.inc({ reason });
              log.error(fields, 'dead letter');
            },
          },
          job,
          token,
        ),
    });
  const add = (settings: QueueSettings) => void sources.push(open(settings));
  options.queues.forEach(add);
  return {
    sources,
    waits,
    batches,
    add,
    async close() {
      // Closing a source waits for its jobs, and so for their batches; then the batcher is empty.
      await Promise.all(sources.map((source) => source.close()));
      await Promise.all([together.close(), suspects.close()]);
    },
  };
}

/** The orders that it names, as one text; null when it names none. */
function ordersOf({ merchant, events }: VerifiedNotification): string | null {
  const numbers = events.flatMap(({ orderNumber }) => orderNumber ?? []).sort();
  return numbers.length === 0 ? null : JSON.stringify([merchant, ...numbers]);
}

async function applyBatch(
  { log, metrics }: WorkerOptions,
  batches: BatchAges,
  apply: WorkerStore['apply'],
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
    log.info({ size, ms, ...countResults(metrics, results) }, 'notifications.applied');
    return results;
  } catch (err) {
    const ms = Math.round(performance.now() - start);
    metrics.batchFailures.inc();
    log.warn({ err, size, ms }, 'notifications.not_applied');
    throw err;
  } finally {
    over();
  }
}
