import {
  type BullQueue,
  type BullWorker,
  openBullQueue,
  openBullWorker,
  openUntilReady,
} from '@payonce/core/queue/bull-queue';
import type { NotificationJob } from '@payonce/core/queue/job';
import type { KeepCompleted } from '@payonce/core/queue/job-options';
import type { QueueSettings } from '@payonce/core/queue/queue-settings';
import { queueName } from '@payonce/core/queue/shards';
import { WRONG_CLOCK_MS } from '@payonce/core/runtime/clock';
import { withDeadline } from '@payonce/core/runtime/deadline';
import { createLifecycle, type Lifecycle } from '@payonce/core/runtime/lifecycle';
import type { Log } from '@payonce/core/runtime/log';
import { type Schedule, startSchedule } from '@payonce/core/runtime/schedules';
import type { Job } from 'bullmq';
import { closeWithin, logErrors } from './bull-helpers.js';
import { createPauseControl, type PauseControl } from './pause-control.js';
import type { JobResult, QueuedJob } from './process-job.js';

/** One queue from which the worker takes jobs. */
export interface QueueConsumer {
  readonly name: string;
  /** `ready`, or the reason why it does not work; asks the store. */
  state(): Promise<string>;
  /** Jobs by state; asks the store. */
  counts(): Promise<Record<string, number>>;
  /**
   * Jobs that wait to be taken; asks the store. 0 while the queue is paused by hand.
   * @throws while the store does not respond, or responds with errors (a full Redis refuses to hand
   * out jobs)
   */
  waiting(): Promise<number>;
  /** Jobs taken so far. */
  readonly taken: number;
  /** Takes no more jobs; running ones finish. A consumer takes jobs unless it is paused. */
  pause(): void;
  resume(): void;
  /**
   * Releases jobs that a worker with a fast clock delayed to a later time: BullMQ plans by the
   * clock of the process.
   * @returns how many; asks the store @throws while the store does not respond
   */
  promoteMisdated(now: Date): Promise<number>;
  /**
   * Puts jobs that were completed until now back to the waiting ones: the database forgot them.
   * @returns how many; asks the store @throws while the store does not respond
   */
  replayCompleted(): Promise<number>;
  /**
   * Whether the queue has this job. A completed one goes back to the waiting ones: its notification
   * is not stored. @throws while the store does not respond
   */
  findAgain(jobId: string): Promise<boolean>;
  /** Takes no more jobs, waits for the running ones, and disconnects. */
  close(): Promise<void>;
}

export interface QueueConsumerOptions {
  readonly settings: QueueSettings;
  readonly concurrency: number;
  readonly keepCompleted: KeepCompleted;
  readonly processJob: (job: QueuedJob, token: string | undefined) => Promise<JobResult>;
  readonly log: Log;
  readonly failedSweepIntervalMs: number;
}

/** A probe has a second or two; a hanging queue is not ready. */
const ASK_LIMIT_MS = 2_000;
/** Much longer than BullMQ waits after an error before it asks for a job again. */
const ERROR_FRESH_MS = 20_000;
/** The running batches take milliseconds. Less than the process has from the signal to its end. */
const CLOSE_LIMIT_MS = 12_000;
/** A store that is down cannot record completions: its jobs come again as copies. */
const AWAY_LIMIT_MS = 1_000;

/**
 * Connects, and keeps connecting: a store that is down at boot delays the work and ends nothing.
 */
export function openQueueConsumer(options: QueueConsumerOptions): QueueConsumer {
  const consumer = new Consumer(options);
  consumer.start();
  return consumer;
}

class Consumer implements QueueConsumer {
  readonly name: string;
  taken = 0;
  readonly #options: QueueConsumerOptions;
  readonly #log: Log;
  readonly #closing = new AbortController();
  readonly #parts: Lifecycle;
  readonly #pauseControl: PauseControl;
  #starting: Promise<void> = Promise.resolve();
  #running: { readonly worker: BullWorker; readonly queue: BullQueue } | null = null;
  #erredAt = Number.NEGATIVE_INFINITY;

  constructor(options: QueueConsumerOptions) {
    this.name = queueName(options.settings);
    const log = options.log.child({ queue: this.name });
    this.#options = options;
    this.#log = log;
    this.#parts = createLifecycle(log);
    this.#pauseControl = createPauseControl((err) => log.error({ err }, 'queue.consumer_stopped'));
  }

  start(): void {
    this.#starting = this.#open().catch((err) => this.#log.debug({ err }, 'queue.open_abandoned'));
  }

  async #open(): Promise<void> {
    const log = this.#log;
    const until = {
      signal: this.#closing.signal,
      onFailure: (err: unknown) => log.warn({ err }, 'queue.open_failed'),
    };
    const queue = await openUntilReady(() => this.#openQueue(), until);
    this.#parts.onStop('queue', () => closeWithin(queue, Promise.resolve(AWAY_LIMIT_MS)));
    const worker = await openUntilReady(() => this.#openWorker(), until);
    worker.on('error', () => {
      this.#erredAt = performance.now();
    });
    this.#parts.onStop('worker', () => closeWithin(worker, this.#closeLimitMs()));
    this.#parts.onStop('sweep', startFailedSweep(queue, this.#options, log).stop);
    if (this.#closing.signal.aborted) return;
    this.#running = { worker, queue };
    this.#pauseControl.attach(worker);
    const { isPaused } = this.#pauseControl;
    log.info(isPaused ? 'queue.consumer_paused' : 'queue.consumer_started');
  }

  #openQueue(): BullQueue {
    const queue = openBullQueue(this.#options.settings);
    logErrors(queue, this.#log);
    return queue;
  }

  #openWorker(): BullWorker {
    const { settings, concurrency, keepCompleted, processJob } = this.#options;
    const takeJob = async (job: Job<unknown, unknown>, token: string | undefined) => {
      await this.#pauseControl.putBackWhilePaused(job, token);
      this.taken += 1;
      return processJob(job, token);
    };
    const options = { concurrency, autorun: false, removeOnComplete: keepCompleted };
    const worker = openBullWorker<NotificationJob>(settings, takeJob, options);
    logErrors(worker, this.#log);
    return worker;
  }

  async #ask<Result>(question: (queue: BullQueue) => Promise<Result>): Promise<Result> {
    if (this.#running === null) throw new Error('not connected yet');
    return withDeadline(question(this.#running.queue), ASK_LIMIT_MS, 'asking the queue');
  }

  counts() {
    return this.#ask((queue) => queue.getJobCounts('wait', 'active', 'delayed', 'failed'));
  }

  async waiting() {
    if (performance.now() - this.#erredAt < ERROR_FRESH_MS) {
      throw new Error('the queue reports errors');
    }
    return this.#ask(async (queue) => ((await queue.isPaused()) ? 0 : queue.getWaitingCount()));
  }

  promoteMisdated(now: Date) {
    return this.#ask((queue) => promoteMisdated(queue, now));
  }

  async replayCompleted() {
    if (this.#running === null) throw new Error('not connected yet');
    const { queue } = this.#running;
    const { completed = 0 } = await queue.getJobCounts('completed');
    await queue.retryJobs({ state: 'completed', count: 1_000, timestamp: Date.now() });
    return completed;
  }

  findAgain(jobId: string) {
    return this.#ask(async (queue) => {
      const state = await queue.getJobState(jobId);
      if (state === 'completed') await (await queue.getJob(jobId))?.retry('completed');
      return state !== 'unknown';
    });
  }

  pause() {
    this.#pauseControl.pause();
  }

  resume() {
    this.#pauseControl.resume();
  }

  state() {
    const isConsuming = () => this.#pauseControl.isPaused || this.#running?.worker.isRunning();
    return this.counts().then(
      () => (isConsuming() ? 'ready' : 'not consuming'),
      () => 'down',
    );
  }

  #closeLimitMs(): Promise<number> {
    return this.counts().then(
      () => CLOSE_LIMIT_MS,
      () => AWAY_LIMIT_MS,
    );
  }

  async close() {
    this.#closing.abort();
    await this.#starting;
    // The worker's close takes no more jobs and waits for the running ones; then the queue is
    // closed.
    await this.#parts.stop();
  }
}

/** With their bodies; the next look takes the rest. */
const MISDATED_AT_ONCE = 20;

/** The longest waiting ones first: jobs that were taken in the future are among them. */
async function promoteMisdated(queue: BullQueue, now: Date): Promise<number> {
  const { delayed = 0 } = await queue.getJobCounts('delayed');
  if (delayed === 0) return 0;
  const jobs = await queue.getJobs(['delayed'], 0, MISDATED_AT_ONCE - 1, false);
  const latest = now.getTime() + WRONG_CLOCK_MS;
  const misdated = jobs.filter(({ processedOn }) => (processedOn ?? 0) > latest);
  for (const job of misdated) await job.promote();
  return misdated.length;
}

/**
 * None of our paths leaves a job in the failed set, where it would swallow re-sent notifications
 * permanently. A job that got there otherwise (the store refused its completion on the last
 * attempt) goes back to waiting. It is then decided under its lock like any other.
 */
function startFailedSweep(queue: BullQueue, options: QueueConsumerOptions, log: Log): Schedule {
  return startSchedule({
    intervalMs: options.failedSweepIntervalMs,
    run: async () => {
      const { failed = 0 } = await queue.getJobCounts('failed');
      if (failed === 0) return false;
      log.warn({ failed }, 'jobs.retried');
      // Up to now only: a job that fails again meanwhile waits for the next sweep.
      await queue.retryJobs({ state: 'failed', count: 200, timestamp: Date.now() });
      return false;
    },
    onError: (err) => log.warn({ err }, 'queue.check_failed'),
  });
}
