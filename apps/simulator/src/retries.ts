import { setTimeout as wait } from 'node:timers/promises';
import type { RetrySchedule } from '@payonce/testkit/sending/retry-schedules';

/** The schedule's seconds as milliseconds of compressed time. */
export function compress(schedule: RetrySchedule, timeCompression: number): number[] {
  return schedule.map((seconds) => (seconds * 1_000) / timeCompression);
}

/**
 * Sends again after each wait until `sendAgain` was accepted, no wait is left, or `stop` aborts.
 * @param sendAgain receives the number of the sending: the first one is 2
 * @returns all sendings
 */
export async function retryUntilAccepted<Sent extends { readonly accepted: boolean }>(
  waitsMs: readonly number[],
  sendAgain: (attempt: number) => Promise<Sent>,
  stop: AbortSignal,
): Promise<Sent[]> {
  const sent: Sent[] = [];
  for (const [index, waitMs] of waitsMs.entries()) {
    if (!(await waited(waitMs, stop))) return sent;
    const sending = await sendAgain(index + 2);
    sent.push(sending);
    if (sending.accepted) return sent;
  }
  return sent;
}

async function waited(ms: number, stop: AbortSignal): Promise<boolean> {
  try {
    await wait(ms, undefined, { signal: stop });
    return true;
  } catch {
    return false;
  }
}
