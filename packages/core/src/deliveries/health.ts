/** The circuit breaker of an endpoint, and when it is disabled by itself. Pure; its state is in the endpoint's row. */
import type { DisabledReason, Endpoint } from './endpoint-rows.js';

export type Health = Pick<
  Endpoint,
  'failures' | 'failingSince' | 'openUntil' | 'lastSuccessAt' | 'disabledReason'
>;

/** What a try tells of its endpoint. */
export interface Result {
  readonly delivered: boolean;
  readonly status: number | null;
  readonly retryAfterMs: number | null;
}

export interface HealthLimits {
  /** Of nothing but failures. */
  readonly disableAfterMs: number;
  /** The circuit is never open for longer. */
  readonly openMaxMs: number;
}

/** So many failures in a row are no accident of one message. */
const OPENS_AT = 5;
const OPEN_MS = 30_000;
/** A row that says when it last went well is written at most this often. */
const SUCCESS_EVERY_MS = 1_000;

/**
 * While the circuit is open nothing is sent; then one delivery, and by what becomes of it the circuit closes
 * or opens for as long as all of it has lasted: twice as long each time, however many failed together.
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
  // A time that lies ahead was written by a wrong clock, and would keep it from ever counting as failing.
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

/** Whoever says that it is too much, and for how long, does not speak of one delivery. */
function isBusy(status: number | null): boolean {
  return status === 429 || status === 503;
}

function openedUntil(failingSince: Date, now: Date, openMaxMs: number): Date {
  const lastedMs = now.getTime() - failingSince.getTime();
  return new Date(now.getTime() + Math.min(Math.max(lastedMs, OPEN_MS), openMaxMs));
}

/** Never earlier than what was asked for before: what failed together is not heard in the order of its sending. */
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
