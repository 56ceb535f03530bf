import { WRONG_CLOCK_MS } from '@payonce/core/runtime/clock';
import type { HoldReason } from '../../database/hold-reason.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The waits between looks at a held event; the last one repeats. */
const RETRY_AFTER_MS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR];
/** A process with a wrong clock wrote any time further ahead than the longest wait. */
export function latestRetryAt(now: Date): Date {
  return new Date(now.getTime() + Math.max(...RETRY_AFTER_MS) + WRONG_CLOCK_MS);
}

/** About four weeks; afterwards only a registration, a copy or a person releases it. */
export const TRIES_MAX = 32;

/** Reasons that time can cure. All others follow from data that never changes. */
const RETRIED: ReadonlySet<HoldReason> = new Set([
  // A registration releases it at once; the schedule is for what a registration could not apply.
  'unknown_order',
  // A signed notice may have stated the same meanwhile.
  'unconfirmed',
  // An operator may have released the trade. Also, workers of the previous release hold another
  // merchant's trade.
  'trade_on_other_order',
  // A later version may be able to apply it.
  'internal_error',
]);

/** The schedule's next look at a held event after so many looks; null: never. */
export function nextRetryAt(reason: HoldReason, tries: number, now: Date): Date | null {
  if (!RETRIED.has(reason) || tries >= TRIES_MAX) return null;
  const wait = RETRY_AFTER_MS[Math.min(tries, RETRY_AFTER_MS.length - 1)] ?? HOUR;
  return new Date(now.getTime() + wait);
}
