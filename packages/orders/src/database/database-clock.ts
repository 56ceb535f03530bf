import type { Clock } from '@payonce/core/runtime/clock';
import { AppError } from '@payonce/core/runtime/errors';

/**
 * One response of the database to "what time is it?". The moments are of a monotonic clock, in
 * milliseconds.
 */
export interface ClockSample {
  readonly askedAt: number;
  readonly respondedAt: number;
  /** By the database's clock, in milliseconds since 1970. */
  readonly databaseMs: number;
}

export interface DatabaseClock {
  /** The database's time. @throws AppError `database_unavailable` before the first sample */
  readonly now: Clock;
  add(sample: ClockSample): void;
  /** This process's clock minus the database's, in milliseconds; null before the first sample. */
  differenceMs(): number | null;
}

/** The sample with the shortest round trip is the most exact one of the last samples. */
const SAMPLES = 8;
/**
 * Clocks drift less than this between two samples. A larger difference means another server's
 * clock, or a clock that was set.
 */
const DRIFT_MS = 100;

interface Estimate {
  /** The database's time minus the monotonic clock. */
  readonly offsetMs: number;
  /** The largest possible error of the estimate. */
  readonly errorMs: number;
}

/**
 * The database's clock. A monotonic clock carries it from sample to sample, so that a jump of this
 * process's clock changes nothing.
 */
export function createDatabaseClock(
  monotonicMs: () => number = () => performance.now(),
  ownMs: () => number = Date.now,
): DatabaseClock {
  let samples: readonly Estimate[] = [];
  let best: Estimate | null = null;
  const nowMs = () => (best === null ? null : monotonicMs() + best.offsetMs);
  return {
    now() {
      const ms = nowMs();
      if (ms === null) {
        throw new AppError('database_unavailable', {
          detail: 'the database was not asked its time',
        });
      }
      return new Date(ms);
    },
    add(sample) {
      const latest = estimateOf(sample);
      const agreeing = samples.filter((former) => agree(former, latest));
      samples = [...agreeing, latest].slice(-SAMPLES);
      best = samples.reduce((a, b) => (b.errorMs < a.errorMs ? b : a));
    },
    differenceMs() {
      const ms = nowMs();
      return ms === null ? null : ownMs() - ms;
    },
  };
}

/** The database responds between request and response. The middle is the best guess. */
function estimateOf({ askedAt, respondedAt, databaseMs }: ClockSample): Estimate {
  return {
    offsetMs: databaseMs - (askedAt + respondedAt) / 2,
    errorMs: (respondedAt - askedAt) / 2,
  };
}

function agree(a: Estimate, b: Estimate): boolean {
  return Math.abs(a.offsetMs - b.offsetMs) <= a.errorMs + b.errorMs + DRIFT_MS;
}
