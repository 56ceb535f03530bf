import { holdsWithin } from '@payonce/testkit/machine/poll';
import { now } from '../clock.js';
import type { WorkloadNotification } from '../history/history.js';
import type { FaultContext } from './fault.js';

/** How long an unaffected notification may take to be applied, on a busy machine. */
const UNTOUCHED_LIMIT_MS = 3_000;
/** How long waiting notifications may go on waiting after the recovery. */
const BEGIN_LIMIT_MS = 10_000;
/** The minimum rate for a backlog, so that a long backlog is not taken for a late start. */
const BACKLOG_PER_S = 100;
const QUIET_LIMIT_MS = 8_000;
const JUST_NOW_MS = 1_000;

/** The parts to observe and record waiting notifications. */
type Observer = Pick<FaultContext, 'progress' | 'recorder' | 'say'>;

/**
 * Waits until nothing is waiting, so that the next measurement does not include the previous fault.
 * @returns false when that does not happen, and nothing is to be measured
 */
export async function isQuiet({ progress, say }: FaultContext): Promise<boolean> {
  const quiet = await holdsWithin(QUIET_LIMIT_MS, () => progress.behind(now() - JUST_NOW_MS) === 0);
  if (!quiet) say('not measured: the fault before it is not recovered from');
  return quiet;
}

/**
 * Records notifications that were acknowledged since `from`, are unaffected by the lock, and still
 * wait longer than unaffected ones may. Call it while the lock is held.
 */
export function recordHeldUp(
  { progress, recorder, say }: Observer,
  from: number,
  concerns: (notification: WorkloadNotification) => boolean,
): void {
  const at = now();
  const waiting = progress
    .waiting(from, at - UNTOUCHED_LIMIT_MS)
    .filter((notification) => !concerns(notification));
  say(`${waiting.length} others waited`);
  const keys = waiting.map(({ key }) => key);
  if (keys.length > 0) recorder.delayed({ kind: 'held_up', at, keys });
}

/**
 * Waits until the notifications that waited at `at` are applied, within their time limit, and
 * records the rest.
 * @param at when the missing part was back
 * @param allowedMs how long they may go on waiting, without a backlog
 */
export async function recordBeganLate(
  { progress, recorder, say }: Observer,
  at: number,
  allowedMs = BEGIN_LIMIT_MS,
): Promise<void> {
  const backlog = progress.behind(at);
  const limitMs = allowedMs + (backlog / BACKLOG_PER_S) * 1_000;
  await holdsWithin(limitMs - (now() - at), () => progress.behind(at) === 0);
  const keys = progress.waiting(0, at).map(({ key }) => key);
  say(`${backlog} waited, applied after ${((now() - at) / 1_000).toFixed(1)} s`);
  if (keys.length > 0) recorder.delayed({ kind: 'began_late', at, keys });
}
