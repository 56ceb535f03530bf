import type { Log } from '../runtime/log.js';
import { type BoundedQueue, boundInFlight } from './in-flight.js';
import type { NotificationQueue } from './notification-queue.js';
import { openPostgresStore } from './postgres-store.js';
import type { QueueSettings, QueueStores } from './queue-settings.js';
import { openRedisStore } from './redis-store.js';
import { shardedQueue } from './sharded-queue.js';
import { shardsOf } from './shards.js';
import { standbyQueue } from './standby.js';
import { storeQueue } from './store-queue.js';

export interface OpenedQueue {
  readonly queue: BoundedQueue;
  /** All stores, the shards first, then their standby; for metrics and readiness. */
  readonly stores: readonly NotificationQueue[];
  /** For each shard the store that it currently asks first. */
  current(): readonly string[];
}

export interface GatewayQueueOptions {
  /** The jobs that may wait for a store at once. */
  readonly maxInFlight: number;
  readonly log: Log;
  /** Called with the name of the store that takes the jobs (of one shard) from now on. */
  readonly onSwitch: (to: string) => void;
}

/**
 * The gateway's side of the queue. It begins to connect and returns at once; `state` shows the
 * progress. An enqueue passes these layers:
 *
 * 1. `boundInFlight` refuses at once while too many jobs wait.
 * 2. `shardedQueue` selects the shard by the job's key.
 * 3. `standbyQueue` tries Redis and PostgreSQL, one after the other.
 * 4. `storeQueue` refuses at once while its store is not ready. It adds in batches.
 * 5. `openRedisStore` writes, and waits for replicas. `openPostgresStore` writes and commits.
 *
 * The time budget (`time-limits.ts` has the numbers). Each limit is a part of the one before:
 *
 * - `REPLY_DEADLINE_MS`: from the last byte of the request to the reply. `receive` passes on what
 *   is left, and layer 4 gives up after it.
 * - `REDIS_SHARE_MS`: Redis's share, where PostgreSQL is ready. PostgreSQL gets the rest.
 * - `REPLICA_WAIT_MS`: what the replicas get of Redis's share.
 *
 * A store that is not ready gets no share, and the other one gets all. The other limits do not
 * delay a reply.
 */
export function openGatewayQueue(
  [first, second]: QueueStores,
  { maxInFlight, log, onSwitch }: GatewayQueueOptions,
): OpenedQueue {
  const preferred = first.kind === 'postgres' ? [first] : shardsOf(first);
  const shards = preferred.map((settings) => openNotificationQueue(settings, log));
  if (!second) {
    if (first.kind === 'redis') {
      log.warn({ setting: 'PAYONCE_QUEUE_DATABASE_URL' }, 'queue.standby_missing');
    }
    return {
      queue: boundInFlight(shardedQueue(shards, shards), maxInFlight),
      stores: shards,
      current: () => shards.map(({ name }) => name),
    };
  }
  const standby = openNotificationQueue(second, log);
  const stores = [...shards, standby];
  // Each shard falls back separately: one lost master is no reason to leave the others.
  const guarded = shards.map((shard) =>
    standbyQueue(shard, standby, { log: log.child({ shard: shard.name }), onSwitch }),
  );
  return {
    queue: boundInFlight(shardedQueue(guarded, stores), maxInFlight),
    stores,
    current: () => guarded.map(({ current }) => current),
  };
}

/** The queue in one store. */
export function openNotificationQueue(settings: QueueSettings, log: Log): NotificationQueue {
  return storeQueue(
    settings.kind === 'redis' ? openRedisStore(settings, log) : openPostgresStore(settings, log),
  );
}
