import type { Log } from '../log.js';
import type { NotificationQueue } from './notification-queue.js';
import { openPostgresQueue } from './postgres-queue.js';
import type { QueueSettings } from './queue-settings.js';
import { openRedisQueue } from './redis-queue.js';

/** The gateway's side of the queue. It begins to connect and returns at once; `state` tells how it goes. */
export function openNotificationQueue(settings: QueueSettings, log: Log): NotificationQueue {
  return settings.kind === 'redis'
    ? openRedisQueue(settings, log)
    : openPostgresQueue(settings, log);
}
