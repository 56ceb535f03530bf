/**
 * The circuit breaker of an endpoint, and its automatic disabling. Pure; the state is in the
 * endpoint's row.
 */
import type { DisabledReason, Endpoint } from '../endpoints/rows.js';
import type { AttemptResult } from './webhook-client.js';

export type Health = Pick<
  Endpoint,
  'failures' | 'failingSince' | 'openUntil' | 'lastSuccessAt' | 'disabledReason'
>;

/** The result of an attempt, as far as it concerns the endpoint. */
export type Result = Pick<AttemptResult, 'delivered' | 'status' | 'retryAfterMs'>;

export interface HealthLimits {
  /** The duration of uninterrupted failures that disables an endpoint. */
  readonly disableAfterMs: number;
  /** The longest time that the circuit stays open. */
  readonly openMaxMs: number;
}

/** So many consecutive failures do not come from one message. */
const OPENS_AT = 5;
const OPEN_MS = 30_000;
/** A success is written to the row at most this often. */
const SUCCESS_EVERY_MS = 1_000;

/**
 * Nothing is sent while the circuit is open. Then one delivery probes the endpoint: a success
 * closes the circuit, a failure opens it again. It stays open for as long as the failures have
 * lasted so far, which doubles the time. The number of concurrent failures does not matter.
 */
export function healthAfter(
  before: Health,
  { delivered, status, retryAfterMs }: Result,
  now: Date,
  { disableAfterMs, openMaxMs }: HealthLimits,
): Health {
  if (delivered) {
    if (isFine(before, now)) return before;
    return { ...before, failures: 0, failingSince: null, openUntil: null, lastSuccessAt: now };
  }
  const failures = before.failures + 1;
  // A wrong clock wrote a time that lies ahead. It would keep the endpoint from ever counting as
  // failing.
  const failingSince = before.failingSince && before.failingSince < now ? before.failingSince : now;
  return {
    ...before,
    failures,
    failingSince,
    openUntil: later([
      before.openUntil,
      failures < OPENS_AT ? null : openedUntil(failingSince, now, openMaxMs),
      isBusy(status) && retryAfterMs !== null ? new Date(now.getTime() + retryAfterMs) : null,
    ]),
    disabledReason: before.disabledReason ?? disabling(status, failingSince, now, disableAfterMs),
  };
}

function isFine({ failures, openUntil, lastSuccessAt }: Health, now: Date): boolean {
  const fresh =
    lastSuccessAt !== null && Math.abs(now.getTime() - lastSuccessAt.getTime()) < SUCCESS_EVERY_MS;
  return failures === 0 && openUntil === null && fresh;
}

/** A status about the endpoint's load: its `Retry-After` concerns more than one delivery. */
function isBusy(status: number | null): boolean {
  return status === 429 || status === 503;
}

function openedUntil(failingSince: Date, now: Date, openMaxMs: number): Date {
  const lastedMs = now.getTime() - failingSince.getTime();
  return new Date(now.getTime() + Math.min(Math.max(lastedMs, OPEN_MS), openMaxMs));
}

/** Never earlier than a known time: results of concurrent attempts arrive in any order. */
function later(times: readonly (Date | null)[]): Date | null {
  const known = times.flatMap((one) => one?.getTime() ?? []);
  return known.length === 0 ? null : new Date(Math.max(...known));
}

function disabling(
  status: number | null,
  failingSince: Date,
  now: Date,
  disableAfterMs: number,
): DisabledReason | null {
  if (status === 410) return 'gone';
  return now.getTime() - failingSince.getTime() >= disableAfterMs ? 'failing' : null;
}
