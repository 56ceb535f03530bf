/** How long a delivery is retried, and when. Pure. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * The waits between attempts, three days in all: the schedule that Standard Webhooks recommends.
 */
export const RETRY_AFTER_MS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

/**
 * From the name's lookup to the last byte read of the response; the minimum that Standard Webhooks
 * recommends.
 */
export const ATTEMPT_LIMIT_MS = 15_000;

/** The waits of a process; `RETRY_AFTER_MS` unless given. */
export interface RetrySchedule {
  /** The waits between attempts. */
  readonly scheduleMs?: readonly number[];
}

/**
 * Never earlier, and up to a fifth later: attempts that failed together must not repeat together.
 */
const JITTER = 0.2;

/** A longer `Retry-After` is cut to a day. */
const RETRY_AFTER_MAX_MS = 24 * HOUR;

/** The longest time to the next attempt, with any schedule that was in use. */
export function attemptAheadMs(scheduleMs: readonly number[] = RETRY_AFTER_MS): number {
  return Math.max(RETRY_AFTER_MAX_MS, Math.max(...scheduleMs) * (1 + JITTER));
}

/** The longest time that a circuit stays open: `Retry-After` of a busy endpoint is the longest. */
export const OPEN_AHEAD_MS = RETRY_AFTER_MAX_MS;

/** A recovered system is found within a quarter of an hour. */
const OPEN_MAX_MS = 15 * MINUTE;

/** The longest time that an endpoint's circuit stays open: a short schedule probes early, too. */
export function openMaxMs(scheduleMs: readonly number[]): number {
  return Math.min(OPEN_MAX_MS, Math.max(...scheduleMs));
}

/**
 * @param scheduleMs the waits between attempts
 * @param attempts how many were made, this one included
 * @param retryAfterMs the wait that the response asked for
 * @returns null: that was the last attempt
 */
export function nextAttemptAt(
  scheduleMs: readonly number[],
  attempts: number,
  now: Date,
  retryAfterMs: number | null,
  random: number,
): Date | null {
  const wait = scheduleMs[attempts - 1];
  if (wait === undefined) return null;
  return new Date(now.getTime() + Math.max(wait * (1 + JITTER * random), retryAfterMs ?? 0));
}

/**
 * `Retry-After` as seconds or as a date, at most a day; null for anything else and for the past.
 */
export function parseRetryAfter(text: unknown, now: Date): number | null {
  if (typeof text !== 'string') return null;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * SECOND : dateOf(text) - now.getTime();
  return ms > 0 ? Math.min(ms, RETRY_AFTER_MAX_MS) : null;
}

/** RFC 9110's date: `Date.parse` alone would take `-1` for a year. */
function dateOf(text: string): number {
  return /^[A-Z][a-z]{2}, .* GMT$/.test(text) ? Date.parse(text) : Number.NaN;
}
