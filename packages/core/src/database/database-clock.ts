import type { Clock } from '../clock.js';
import { AppError } from '../errors.js';

/** One answer of the database to "what time is it?". The moments are of a monotonic clock, in milliseconds. */
export interface ClockSample {
  readonly askedAt: number;
  readonly answeredAt: number;
  /** By the database's clock, in milliseconds since 1970. */
  readonly databaseMs: number;
}

export interface DatabaseClock {
  /** The database's time. @throws AppError `database_unavailable` before the first sample */
  readonly now: Clock;
  add(sample: ClockSample): void;
  /** This process's own clock less the database's, in milliseconds; null before the first sample. */
  differenceMs(): number | null;
}

/** Of the last samples the one with the shortest round trip is the most exact. */
const SAMPLES = 8;
/** Clocks drift apart by less between two samples; more is another server's clock, or one that was set. */
const DRIFT_MS = 100;

interface Estimate {
  /** The database's time less the monotonic clock. */
  readonly offsetMs: number;
  /** The estimate is wrong by this at most. */
  readonly errorMs: number;
}

/**
 * The database's clock, carried on by a monotonic one from sample to sample: a jump of this process's own
 * clock changes nothing.
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

/** It answered somewhere between question and answer: in the middle, as far as anybody knows. */
function estimateOf({ askedAt, answeredAt, databaseMs }: ClockSample): Estimate {
  return {
    offsetMs: databaseMs - (askedAt + answeredAt) / 2,
    errorMs: (answeredAt - askedAt) / 2,
  };
}

function agree(a: Estimate, b: Estimate): boolean {
  return Math.abs(a.offsetMs - b.offsetMs) <= a.errorMs + b.errorMs + DRIFT_MS;
}
