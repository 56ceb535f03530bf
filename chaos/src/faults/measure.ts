import { holdsWithin, now } from '../clock.js';
import type { ToldNotification } from '../ledger.js';
import type { Stage } from './fault.js';

/** How long a notification that nothing concerns may take to be applied, on a busy machine. */
const UNTOUCHED_LIMIT_MS = 3_000;
/** How long what waited may go on waiting when what it needs is back. */
const BEGIN_LIMIT_MS = 10_000;
/** A backlog is worked off at no less than that, so that a long one is not taken for a late one. */
const BACKLOG_PER_S = 100;
const QUIET_LIMIT_MS = 8_000;
const JUST_NOW_MS = 1_000;

/** What it takes to see what waits, and to note it. */
type Onlooker = Pick<Stage, 'settled' | 'book' | 'say'>;

/**
 * Waits until nothing waits any more, so that what is measured next is not the doing of the fault before.
 * @returns false when that does not come, and nothing is to be measured
 */
export async function isQuiet({ settled, say }: Stage): Promise<boolean> {
  const quiet = await holdsWithin(QUIET_LIMIT_MS, () => settled.behind(now() - JUST_NOW_MS) === 0);
  if (!quiet) say('not measured: the fault before it is not recovered from');
  return quiet;
}

/**
 * What was acknowledged since `from`, does not concern what is locked, and waits all the same, longer than
 * anything untouched may. To be asked while the lock is still held.
 */
export function seeHeldUp(
  { settled, book, say }: Onlooker,
  from: number,
  concerns: (told: ToldNotification) => boolean,
): void {
  const at = now();
  const waiting = settled.waiting(from, at - UNTOUCHED_LIMIT_MS).filter((told) => !concerns(told));
  say(`${waiting.length} others waited`);
  const keys = waiting.map(({ key }) => key);
  if (keys.length > 0) book.delayed({ kind: 'held_up', at, keys });
}

/**
 * Waits until what waited at `at` is applied, for as long as that may take, and notes what is not.
 * @param at when what it needs was back
 * @param allowedMs how long it may go on waiting, without a backlog
 */
export async function seeBegun(
  { settled, book, say }: Onlooker,
  at: number,
  allowedMs = BEGIN_LIMIT_MS,
): Promise<void> {
  const backlog = settled.behind(at);
  const limitMs = allowedMs + (backlog / BACKLOG_PER_S) * 1_000;
  await holdsWithin(limitMs - (now() - at), () => settled.behind(at) === 0);
  const keys = settled.waiting(0, at).map(({ key }) => key);
  say(`${backlog} waited, applied after ${((now() - at) / 1_000).toFixed(1)} s`);
  if (keys.length > 0) book.delayed({ kind: 'began_late', at, keys });
}
