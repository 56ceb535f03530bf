import { until } from '@payonce/testkit/machine/poll';
import type { Redis } from 'ioredis';

/** Rewriting all data of a run takes a second. */
const REWRITE_LIMIT_MS = 120_000;

/**
 * Rewrites Redis's log, which is then empty: a rewrite during a measurement would disadvantage one
 * side. If Redis has already begun one, that one still contains deleted data, so this waits for it
 * and starts another.
 */
export async function shortenLog(redis: Redis): Promise<void> {
  await until("Redis's log to be rewritten", REWRITE_LIMIT_MS, async () => {
    await rewritten(redis);
    return redis.bgrewriteaof().then(
      () => true,
      // Redis began one between the two commands.
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
