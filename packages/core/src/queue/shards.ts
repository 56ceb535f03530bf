import { sha256Hex } from '@payonce/providers/crypto';
import type {
  QueueSettings,
  QueueStores,
  RedisQueueSettings,
  RedisStoreSettings,
} from './queue-settings.js';
import type { RedisTarget } from './redis-target.js';

/** The queues that make up the queue in Redis. */
export function shardsOf(store: RedisStoreSettings): readonly RedisQueueSettings[] {
  return Array.from({ length: store.shards }, (_, index) => shardAt(store, index));
}

/** Every queue of the configuration, for processes that take from all or show all. */
export function queuesOf([first, second]: QueueStores): readonly [
  QueueSettings,
  ...(readonly QueueSettings[]),
] {
  if (first.kind === 'postgres') return [first];
  const standby = second ? [second] : [];
  return [shardAt(first, 0), ...shardsOf(first).slice(1), ...standby];
}

/**
 * Shard 0 has the keys of an unsharded queue. The others, and in a cluster all, have a prefix with
 * a hash tag. BullMQ needs all keys of a queue in one slot, and queues with different tags spread
 * over the masters.
 */
export function shardAt(store: RedisStoreSettings, shard: number): RedisQueueSettings {
  const { shards: _, ...settings } = store;
  const isPlain = shard === 0 && store.topology.kind !== 'cluster';
  const bare = store.prefix.replace(/[{}]/g, '');
  return { ...settings, shard, prefix: isPlain ? store.prefix : `{${bare}-${shard}}` };
}

/** Which of `count` shards a key belongs to: always the same one. */
export function shardIndex(key: string, count: number): number {
  if (count === 1) return 0;
  return Number.parseInt(sha256Hex(key).slice(0, 8), 16) % count;
}

/**
 * The name of a queue in metrics, logs and pages: `redis`, `redis-1`, …, `postgres`,
 * `postgres-old`.
 */
export function queueName(settings: QueueSettings): string {
  if (settings.kind === 'postgres') return settings.old ? 'postgres-old' : 'postgres';
  return settings.shard === 0 ? 'redis' : `redis-${settings.shard}`;
}

/** The server of a shard: in a cluster the master of the slot that its prefix determines. */
export function targetOf({ topology, prefix }: RedisQueueSettings): RedisTarget {
  return { topology, key: prefix };
}

/** Gateways' reports are not sharded: one queue in each store. */
export function hasReports(settings: QueueSettings): boolean {
  return settings.kind === 'postgres' || settings.shard === 0;
}
