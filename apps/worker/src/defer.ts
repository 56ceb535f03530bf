import { DelayedError, type Job } from 'bullmq';

/** What is locked is tried again after one to three seconds; the longer it was, the later. */
const LOCK_FIRST_MS = 1_000;
const LOCK_SPREAD_MS = 2_000;
const LOCK_SPREAD_MAX_MS = 6_000;
/** A store that is back has what waited within this, however long it was away. */
const STORE_FIRST_MS = 2_000;
const STORE_SPREAD_MS = 4_000;

/** @param waitedMs how long it has waited for the lock already */
export function lockDelayMs(waitedMs: number, random: number): number {
  const spread = Math.min(LOCK_SPREAD_MS + waitedMs / 4, LOCK_SPREAD_MAX_MS);
  return LOCK_FIRST_MS + random * spread;
}

/** Spread, so that what failed together does not come back together. */
export function storeDelayMs(random: number): number {
  return STORE_FIRST_MS + random * STORE_SPREAD_MS;
}

/** Gives a job back to its queue for a while. Costs it no attempt. @throws DelayedError: what BullMQ wants to hear */
export async function putBack(
  job: Pick<Job<unknown, unknown>, 'moveToDelayed'>,
  token: string | undefined,
  delayMs: number,
): Promise<never> {
  await job.moveToDelayed(Date.now() + delayMs, token);
  throw new DelayedError();
}
