import {
  type HostedQueue,
  type HostedWorker,
  openHostedQueue,
  openHostedWorker,
  openUntilReady,
} from '@payonce/core/queue/hosted';
import type { NotificationJob } from '@payonce/core/queue/job';
import type { QueueSettings } from '@payonce/core/queue/queue-settings';
import { queueName } from '@payonce/core/queue/shards';
import { WRONG_CLOCK_MS } from '@payonce/core/runtime/clock';
import { withDeadline } from '@payonce/core/runtime/deadline';
import { createLifecycle } from '@payonce/core/runtime/lifecycle';
import type { Log } from '@payonce/core/runtime/log';
import { type Schedule, startSchedule } from '@payonce/core/runtime/schedules';
import type { Job } from 'bullmq';
import { leave, reportErrors } from './hosted-part.js';
import type { JobResult, QueuedJob } from './process-job.js';
import { createTap } from './tap.js';

/** One queue from which the worker takes jobs. */
export interface Source {
  readonly name: string;
  /** `ready`, or the reason why it does not work; asks the store. */
  state(): Promise<string>;
  /** Jobs by state; asks the store. */
  counts(): Promise<Record<string, number>>;
  /**
   * Jobs that wait to be taken; asks the store. 0 while the queue is paused by hand.
   * @throws while the store does not answer, or answers with errors (a full Redis refuses to hand
   * out jobs)
   */
  waiting(): Promise<number>;
  /** Jobs taken so far. */
  readonly taken: number;
  /** Takes no more jobs; running ones finish. A source takes jobs unless it is paused. */
  pause(): void;
  resume(): void;
  /**
   * Releases jobs that a worker with a fast clock delayed to a later time: BullMQ plans by the
   * clock of the process.
   * @returns how many; asks the store @throws while the store does not answer
   */
  promoteMisdated(now: Date): Promise<number>;
  /** Takes no more jobs, waits for the running ones, and disconnects. */
  close(): Promise<void>;
}

export interface SourceOptions {
  readonly settings: QueueSettings;
  readonly concurrency: number;
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
export function openSource(options: SourceOptions): Source {
  const { settings } = options;
  const log = options.log.child({ queue: queueName(settings) });
  const closing = new AbortController();
  const parts = createLifecycle(log);
  let running: { worker: HostedWorker; queue: HostedQueue } | null = null;
  let taken = 0;
  let erredAt = Number.NEGATIVE_INFINITY;
  const tap = createTap((err) => log.error({ err }, 'the queue is no longer consumed'));
  const takeJob = async (job: Job<unknown, unknown>, token: string | undefined) => {
    await tap.putBackWhilePaused(job, token);
    taken += 1;
    return options.processJob(job, token);
  };

  const until = {
    signal: closing.signal,
    onFailure: (err: unknown) => log.warn({ err }, 'the queue cannot be opened, trying again'),
  };
  const start = async () => {
    const queue = await openUntilReady(() => openQueueLoggingErrors(settings, log), until);
    parts.onStop('queue', () => leave(queue, Promise.resolve(AWAY_LIMIT_MS)));
    const worker = await openUntilReady(
      () => openWorkerLoggingErrors(options, takeJob, log),
      until,
    );
    worker.on('error', () => {
      erredAt = performance.now();
    });
    parts.onStop('worker', () => leave(worker, closeLimitMs()));
    parts.onStop('sweep', startFailedSweep(queue, options, log).stop);
    if (closing.signal.aborted) return;
    running = { worker, queue };
    tap.attach(worker);
    log.info(tap.isPaused ? 'jobs will be taken when the database is ready' : 'taking jobs');
  };
  const starting = start().catch((err) => log.debug({ err }, 'closed before the queue was open'));

  const ask = async <Answer>(question: (queue: HostedQueue) => Promise<Answer>) => {
    if (running === null) throw new Error('not connected yet');
    return withDeadline(question(running.queue), ASK_LIMIT_MS, 'asking the queue');
  };
  const counts = () => ask((queue) => queue.getJobCounts('wait', 'active', 'delayed', 'failed'));
  const closeLimitMs = () =>
    counts().then(
      () => CLOSE_LIMIT_MS,
      () => AWAY_LIMIT_MS,
    );
  return {
    name: queueName(settings),
    counts,
    async waiting() {
      if (performance.now() - erredAt < ERROR_FRESH_MS) throw new Error('the queue reports errors');
      return ask(async (queue) => ((await queue.isPaused()) ? 0 : queue.getWaitingCount()));
    },
    promoteMisdated: (now) => ask((queue) => promoteMisdated(queue, now)),
    get taken() {
      return taken;
    },
    pause: tap.pause,
    resume: tap.resume,
    state: () =>
      counts().then(
        () => (tap.isPaused || running?.worker.isRunning() ? 'ready' : 'not consuming'),
        () => 'down',
      ),
    async close() {
      closing.abort();
      await starting;
      // The worker's close takes no more jobs and waits for the running ones; then the queue is
      // closed.
      await parts.stop();
    },
  };
}

function openQueueLoggingErrors(settings: QueueSettings, log: Log): HostedQueue {
  const queue = openHostedQueue(settings);
  reportErrors(queue, log);
  return queue;
}

function openWorkerLoggingErrors(
  { settings, concurrency }: Pick<SourceOptions, 'settings' | 'concurrency'>,
  takeJob: (job: Job<unknown, unknown>, token: string | undefined) => Promise<JobResult>,
  log: Log,
): HostedWorker {
  const options = { concurrency, autorun: false };
  const worker = openHostedWorker<NotificationJob>(settings, takeJob, options);
  reportErrors(worker, log);
  return worker;
}

/** With their bodies; the next look takes the rest. */
const MISDATED_AT_ONCE = 20;

/** The longest waiting ones first: jobs that were taken in the future are among them. */
async function promoteMisdated(queue: HostedQueue, now: Date): Promise<number> {
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
function startFailedSweep(queue: HostedQueue, options: SourceOptions, log: Log): Schedule {
  return startSchedule({
    intervalMs: options.failedSweepIntervalMs,
    run: async () => {
      const { failed = 0 } = await queue.getJobCounts('failed');
      if (failed === 0) return false;
      log.warn({ failed }, 'failed jobs go back to waiting');
      // Up to now only: a job that fails again meanwhile waits for the next sweep.
      await queue.retryJobs({ state: 'failed', count: 200, timestamp: Date.now() });
      return false;
    },
    onError: (err) => log.warn({ err }, 'checking the failed jobs failed'),
  });
}
