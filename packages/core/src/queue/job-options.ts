import type { JobsOptions, WorkerOptions } from 'bullmq';
import type { NewJob } from './job.js';

/** The backoff's name in BullMQ; `consumerSettings` brings the function that belongs to it. */
const BACKOFF = 'capped';
const FIRST_DELAY_MS = 1_000;
/** A store that comes back is noticed within a quarter of an hour. */
const LONGEST_DELAY_MS = 15 * 60_000;
/** Part of a delay that is left to chance, so that what failed together does not retry together. */
const JITTER = 0.2;

/**
 * Waiting time before attempt `attemptsMade + 1`: doubling from one second to a quarter of an hour,
 * less up to a fifth.
 * @param random from 0 to 1
 */
export function backoffDelayMs(attemptsMade: number, random: number): number {
  const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (attemptsMade - 1), LONGEST_DELAY_MS);
  return Math.round(delayMs * (1 - JITTER * random));
}

/** Nobody listens to a queue's events; a bound for the stream in Redis, which every Queue sets for all. */
export const eventStream = { streams: { events: { maxLen: 1_000 } } } as const;

/** Producers put these beside every job. */
export const notificationJobOptions = {
  // With the shortest of all delays, 140 attempts span over 25 hours: longer than any provider sends.
  attempts: 140,
  backoff: { type: BACKOFF },
  // What was acknowledged is never removed automatically: the worker writes a dead letter first.
  removeOnFail: false,
  // Every attempt of a failing job would keep one.
  stackTraceLimit: 3,
} as const satisfies JobsOptions;

/** As BullMQ takes it. */
export function queuedJob({ id, data }: NewJob) {
  return { name: data.provider, data, opts: { ...notificationJobOptions, jobId: id } };
}

/** Beside every gateway report. Nothing that was acknowledged is in one: in the end it may be dropped. */
export const reportJobOptions = {
  // Two minutes from the first to the last: what a report tells of is applied by then, or waits behind a backlog.
  attempts: 8,
  backoff: { type: BACKOFF },
  // Its ID is known to PostgreSQL by then; a few are left to be looked at.
  removeOnComplete: { age: 600, count: 50 },
  removeOnFail: { age: 86_400, count: 50 },
  stackTraceLimit: 1,
} as const satisfies JobsOptions;

/** What every worker on our queues must have, whatever else it sets. */
export const consumerSettings = {
  // A completed notification swallows copies by its ID, no more: PostgreSQL holds the truth. An hour, and a bound.
  // Here, and not beside each job: a backlog is kept in memory.
  removeOnComplete: { age: 3_600, count: 5_000 },
  // What a killed worker had in hand is taken up by another after 15 s at most. A batch takes milliseconds,
  // and locks are renewed at half time; one that is lost all the same costs a duplicate, which changes nothing.
  lockDuration: 10_000,
  stalledInterval: 5_000,
  // A crash must not consume attempts: effectively unlimited (a 32-bit integer in PostgreSQL).
  maxStalledCount: 1_000_000_000,
  // A store that refuses to hand out jobs is asked again soon: its jobs are late enough.
  runRetryDelay: 2_000,
  settings: { backoffStrategy: (attemptsMade) => backoffDelayMs(attemptsMade, Math.random()) },
} as const satisfies Omit<WorkerOptions, 'connection'>;
