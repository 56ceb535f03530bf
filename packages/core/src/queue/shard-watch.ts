import type { Log } from '../runtime/log.js';
import { startSchedule } from '../runtime/schedules.js';
import { connectReader } from './connection.js';
import { NOTIFICATION_QUEUE } from './job.js';
import { MOST_SHARDS, type QueueStores, type RedisQueueSettings } from './queue-settings.js';
import { shardAt, targetOf } from './shards.js';

/** The longest time that jobs of a new shard wait for a worker that was started with fewer. */
const LOOK_INTERVAL_MS = 10_000;

/**
 * Looks for shards beyond the configured ones: of gateways with a higher number, or left from such
 * a time. So the number can be raised and lowered in any order: a shard with jobs always has
 * workers.
 * @param onShard called once for each; a queue comes into existence when a producer opens it
 * @returns stops the watch
 */
export function watchShards(
  [store]: QueueStores,
  onShard: (shard: RedisQueueSettings) => void,
  log: Log,
): () => Promise<void> {
  if (store.kind === 'postgres') return async () => {};
  let next = store.shards;
  const schedule = startSchedule({
    intervalMs: LOOK_INTERVAL_MS,
    run: async () => {
      const shard = shardAt(store, next);
      if (next >= MOST_SHARDS || !(await exists(shard))) return false;
      log.info({ shard: next }, 'queue.shard_found');
      onShard(shard);
      next += 1;
      return true;
    },
    // A store that is down has separate alarms.
    onError: (err) => log.debug({ err }, 'queue.shard_search_failed'),
  });
  return schedule.stop;
}

/** BullMQ's Queue writes its `meta` when it is opened. @throws when Redis does not respond */
async function exists(shard: RedisQueueSettings): Promise<boolean> {
  const redis = connectReader(targetOf(shard));
  redis.on('error', () => {});
  try {
    return (await redis.exists(`${shard.prefix}:${NOTIFICATION_QUEUE}:meta`)) === 1;
  } finally {
    redis.disconnect();
  }
}
