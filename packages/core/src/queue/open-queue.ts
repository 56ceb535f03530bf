import type { Log } from '../log.js';
import type { NotificationQueue } from './notification-queue.js';
import { openPostgresQueue } from './postgres-queue.js';
import type { QueueSettings, QueueStores } from './queue-settings.js';
import { openRedisQueue } from './redis-queue.js';
import { type ShardedQueue, shardedQueue } from './sharded-queue.js';
import { shardsOf } from './shards.js';
import { standbyQueue } from './standby.js';

export interface OpenedQueue {
  readonly queue: ShardedQueue;
  /** All stores, the shards first, then their standby; for metrics and readiness. */
  readonly stores: readonly NotificationQueue[];
  /** For each shard the store that it currently asks first. */
  current(): readonly string[];
}

/**
 * The gateway's side of the queue. It begins to connect and returns at once; `state` shows the
 * progress.
 * @param onSwitch called with the name of the store that takes the jobs (of one shard) from now on
 */
export function openQueue(
  [first, second]: QueueStores,
  log: Log,
  onSwitch: (to: string) => void,
): OpenedQueue {
  if (first.kind === 'postgres') {
    return withoutStandby([openPostgresQueue(first, log)]);
  }
  const shards = shardsOf(first).map((settings) => openRedisQueue(settings, log));
  if (!second) {
    log.warn('PAYONCE_QUEUE_DATABASE_URL is not set: without Redis nothing can be accepted');
    return withoutStandby(shards);
  }
  const standby = openPostgresQueue(second, log);
  // Each shard falls back separately: one lost master is no reason to leave the others.
  const guarded = shards.map((shard) =>
    standbyQueue(shard, standby, { log: log.child({ shard: shard.name }), onSwitch }),
  );
  const stores = [...shards, standby];
  const current = () => guarded.map((shard) => shard.current);
  return { queue: shardedQueue(guarded, stores), stores, current };
}

function withoutStandby(shards: readonly NotificationQueue[]): OpenedQueue {
  const current = () => shards.map(({ name }) => name);
  return { queue: shardedQueue(shards, shards), stores: shards, current };
}

/** The queue in one store. */
export function openNotificationQueue(settings: QueueSettings, log: Log): NotificationQueue {
  return settings.kind === 'redis'
    ? openRedisQueue(settings, log)
    : openPostgresQueue(settings, log);
}
