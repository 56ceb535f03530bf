import type { JobsOptions, WorkerOptions } from 'bullmq';
import type { NewJob } from './job.js';

/** The backoff's name in BullMQ; `consumerSettings` has its function. */
const BACKOFF = 'capped';
const FIRST_DELAY_MS = 1_000;
/** A store that returns is noticed within a quarter of an hour. */
const LONGEST_DELAY_MS = 15 * 60_000;
/** The random part of a delay, so that jobs that failed together do not retry together. */
const JITTER = 0.2;

/**
 * The delay before attempt `attemptsMade + 1`: doubles from one second to a quarter of an hour,
 * minus up to a fifth.
 * @param random from 0 to 1
 */
export function backoffDelayMs(attemptsMade: number, random: number): number {
  const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (attemptsMade - 1), LONGEST_DELAY_MS);
  return Math.round(delayMs * (1 - JITTER * random));
}

/**
 * No process listens to a queue's events. A bound for the stream in Redis, which every Queue sets
 * for all.
 */
export const eventStream = { streams: { events: { maxLen: 1_000 } } } as const;

/** Producers add these to every job. */
export const notificationJobOptions = {
  // Even with the shortest delays, 140 attempts span over 25 hours: longer than any provider sends.
  attempts: 140,
  backoff: { type: BACKOFF },
  // An acknowledged notification is never removed automatically: the worker writes a dead letter
  // first.
  removeOnFail: false,
  // Otherwise every attempt of a failing job would keep one.
  stackTraceLimit: 3,
} as const satisfies JobsOptions;

/** In the form that BullMQ takes. */
export function queuedJob({ id, data }: NewJob) {
  return { name: data.provider, data, opts: { ...notificationJobOptions, jobId: id } };
}

/**
 * Options of every gateway report. A report holds no acknowledged notification: in the end it may
 * be dropped.
 */
export const reportJobOptions = {
  // An outage of PostgreSQL costs no attempt: these are for unexpected errors, over two minutes.
  attempts: 8,
  backoff: { type: BACKOFF },
  // By then PostgreSQL knows its ID; a few are kept for inspection.
  removeOnComplete: { age: 600, count: 50 },
  removeOnFail: { age: 86_400, count: 50 },
  stackTraceLimit: 1,
} as const satisfies JobsOptions;

/**
 * How long completed jobs stay in each queue, in seconds, and how many at most. They swallow copies
 * by their ID, and are applied again if PostgreSQL goes back in time.
 */
export interface KeepCompleted {
  readonly age: number;
  readonly count: number;
}

/** Unless a worker is told otherwise. It bounds the memory of a Redis that nobody has sized. */
export const KEEP_COMPLETED: KeepCompleted = { age: 3_600, count: 5_000 };

/** Every worker on our queues must have these, whatever else it sets. */
export const consumerSettings = {
  // Here, not in each job: a backlog is kept in memory.
  removeOnComplete: KEEP_COMPLETED,
  // Another worker takes the jobs of a killed worker after 15 s at most. A batch takes
  // milliseconds, and locks are renewed at half time. A lost lock costs a duplicate, which changes
  // nothing.
  lockDuration: 10_000,
  stalledInterval: 5_000,
  // A crash must not consume attempts: effectively unlimited (a 32-bit integer in PostgreSQL).
  maxStalledCount: 1_000_000_000,
  // A store that refuses to hand out jobs is asked again soon: its jobs are already late.
  runRetryDelay: 2_000,
  settings: { backoffStrategy: (attemptsMade) => backoffDelayMs(attemptsMade, Math.random()) },
} as const satisfies Omit<WorkerOptions, 'connection'>;
