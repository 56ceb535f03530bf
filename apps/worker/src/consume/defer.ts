import { DelayedError, type Job } from 'bullmq';

/** A locked job is retried after one to three seconds; the longer it was locked, the later. */
const LOCK_FIRST_MS = 1_000;
const LOCK_SPREAD_MS = 2_000;
const LOCK_SPREAD_MAX_MS = 6_000;
/**
 * After a store's return all waiting jobs come within this time, however long the store was down.
 */
const STORE_FIRST_MS = 2_000;
const STORE_SPREAD_MS = 4_000;

/** @param waitedMs how long it has already waited for the lock */
export function lockDelayMs(waitedMs: number, random: number): number {
  const spread = Math.min(LOCK_SPREAD_MS + waitedMs / 4, LOCK_SPREAD_MAX_MS);
  return LOCK_FIRST_MS + random * spread;
}

/** Spread, so that jobs that failed together do not retry together. */
export function storeDelayMs(random: number): number {
  return STORE_FIRST_MS + random * STORE_SPREAD_MS;
}

/**
 * Returns a job to its queue for a while, without costing it an attempt. @throws DelayedError, as
 * BullMQ expects
 */
export async function putBack(
  job: Pick<Job<unknown, unknown>, 'moveToDelayed'>,
  token: string | undefined,
  delayMs: number,
): Promise<never> {
  await job.moveToDelayed(Date.now() + delayMs, token);
  throw new DelayedError();
}
