import { WRONG_CLOCK_MS } from '../clock.js';
import type { HoldReason } from './notification.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** From one look at a held event to the next; the last one repeats. */
const RETRY_AFTER_MS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR];
/** A time further ahead than the longest wait was written by a process whose clock was wrong. */
export function latestRetryAt(now: Date): Date {
  return new Date(now.getTime() + Math.max(...RETRY_AFTER_MS) + WRONG_CLOCK_MS);
}

/** About four weeks; afterwards only a registration, a copy or a person looks at it again. */
const TRIES_MAX = 32;

/** Reasons that time can cure. All others follow from what never changes. */
const RETRIED: ReadonlySet<HoldReason> = new Set([
  // Registering releases it at once; the schedule is for what a registration could not apply.
  'unknown_order',
  // A signed notice may have told the same meanwhile.
  'unconfirmed',
  // A later version may be able to apply it.
  'internal_error',
]);

/** When the schedule looks at a held event again, after so many looks; null: never. */
export function nextRetryAt(reason: HoldReason, tries: number, now: Date): Date | null {
  if (!RETRIED.has(reason) || tries >= TRIES_MAX) return null;
  const wait = RETRY_AFTER_MS[Math.min(tries, RETRY_AFTER_MS.length - 1)] ?? HOUR;
  return new Date(now.getTime() + wait);
}
