import { until } from '@payonce/tooling/process';
import type { Redis } from 'ioredis';

/** A rewrite of all that a run stores takes a second. */
const REWRITE_LIMIT_MS = 120_000;

/**
 * Rewrites Redis's log, which is empty then: a rewrite that begins in mid-measurement would be one
 * side's bad luck. Redis may have begun one itself; that one holds what is stored no more, so it is
 * waited for and another one follows.
 */
export async function shortenLog(redis: Redis): Promise<void> {
  await until("Redis's log to be rewritten", REWRITE_LIMIT_MS, async () => {
    await rewritten(redis);
    return redis.bgrewriteaof().then(
      () => true,
      // Begun by Redis between the two questions.
      (error: Error) => {
        if (error.message.includes('already in progress')) return false;
        throw error;
      },
    );
  });
  await rewritten(redis);
}

async function rewritten(redis: Redis): Promise<void> {
  await until("the end of a rewrite of Redis's log", REWRITE_LIMIT_MS, async () => {
    return !/aof_rewrite_(in_progress|scheduled):1/.test(await redis.info('persistence'));
  });
}
