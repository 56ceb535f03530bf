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

/** So many failures in a row are no accident of one message. */
const OPENS_AT = 5;
const OPEN_MS = 30_000;
/** A system that is back is found within a quarter of an hour. */
const OPEN_MAX_MS = 15 * 60_000;
/** A row that says when it last went well is written at most this often. */
const SUCCESS_EVERY_MS = 1_000;

/**
 * While the circuit is open nothing is sent; then one delivery, and by what becomes of it the circuit closes
 * or opens for twice as long.
 * @param disableAfterMs of nothing but failures
 */
export function healthAfter(
  before: Health,
  { delivered, status, retryAfterMs }: Result,
  now: Date,
  disableAfterMs: number,
): Health {
  if (delivered) {
    if (isFine(before, now)) return before;
    return { ...before, failures: 0, failingSince: null, openUntil: null, lastSuccessAt: now };
  }
  const failures = before.failures + 1;
  const failingSince = before.failingSince ?? now;
  return {
    ...before,
    failures,
    failingSince,
    openUntil: openUntil(failures, before.openUntil, now, isBusy(status) ? retryAfterMs : null),
    disabledReason: before.disabledReason ?? disabling(status, failingSince, now, disableAfterMs),
  };
}

function isFine({ failures, openUntil, lastSuccessAt }: Health, now: Date): boolean {
  const fresh =
    lastSuccessAt !== null && now.getTime() - lastSuccessAt.getTime() < SUCCESS_EVERY_MS;
  return failures === 0 && openUntil === null && fresh;
}

/** Whoever says that it is too much, and for how long, does not speak of one delivery. */
function isBusy(status: number | null): boolean {
  return status === 429 || status === 503;
}

/** Several that were in hand together may fail together: the longest counts. */
function openUntil(
  failures: number,
  before: Date | null,
  now: Date,
  retryAfterMs: number | null,
): Date | null {
  const doubled = OPEN_MS * 2 ** Math.min(failures - OPENS_AT, 10);
  const wait = Math.max(
    failures < OPENS_AT ? 0 : Math.min(doubled, OPEN_MAX_MS),
    retryAfterMs ?? 0,
  );
  if (wait === 0) return null;
  return new Date(Math.max(now.getTime() + wait, before?.getTime() ?? 0));
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
