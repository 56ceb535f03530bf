import type { Log } from '../log.js';
import type { NotificationQueue } from './notification-queue.js';
import { openPostgresQueue } from './postgres-queue.js';
import type { QueueSettings, QueueStores } from './queue-settings.js';
import { openRedisQueue } from './redis-queue.js';
import { standbyQueue } from './standby.js';

export interface OpenedQueue {
  readonly queue: NotificationQueue;
  /** The stores behind it, the preferred one first; for metrics and readiness. */
  readonly stores: readonly NotificationQueue[];
}

/**
 * The gateway's side of the queue. It begins to connect and returns at once; `state` tells how it goes.
 * @param onSwitch called with the name of the store that takes the jobs from now on
 */
export function openQueue(
  [first, second]: QueueStores,
  log: Log,
  onSwitch: (to: string) => void,
): OpenedQueue {
  const preferred = openNotificationQueue(first, log);
  if (!second) {
    if (first.kind === 'redis') {
      log.warn('PAYONCE_QUEUE_DATABASE_URL is not set: without Redis nothing can be accepted');
    }
    return { queue: preferred, stores: [preferred] };
  }
  const standby = openNotificationQueue(second, log);
  const queue = standbyQueue(preferred, standby, { log, onSwitch });
  return { queue, stores: [preferred, standby] };
}

/** The queue in one store. */
export function openNotificationQueue(settings: QueueSettings, log: Log): NotificationQueue {
  return settings.kind === 'redis'
    ? openRedisQueue(settings, log)
    : openPostgresQueue(settings, log);
}
