import { AppError } from '../runtime/errors.js';
import { type Bulk, type CoalesceLimits, coalesce } from './coalesce.js';
import type { NewJob } from './job.js';
import {
  describeState,
  isReady,
  type NotificationQueue,
  type QueueState,
} from './notification-queue.js';

/** One store of jobs, which makes what it is given durable at once. */
export interface JobStore extends Bulk<NewJob> {
  readonly name: string;
  /** The last known state. Reading it asks nothing. */
  readonly state: QueueState;
  /** How adds to this store are combined. */
  readonly flushes: CoalesceLimits;
  /** Called after an add that failed, or took too long. */
  onAddFailed?(): void;
  close(): Promise<void>;
}

/** The queue in one store. It refuses at once while the store is not ready, and coalesces adds. */
export function storeQueue(store: JobStore): NotificationQueue {
  const { name } = store;
  const add = coalesce(store, store.flushes);
  return {
    name,
    get state() {
      return store.state;
    },
    async enqueue(job, limitMs) {
      if (!isReady(store)) {
        throw new AppError('queue_unavailable', { detail: describeState(store.state) });
      }
      try {
        await add(job, limitMs);
        return name;
      } catch (cause) {
        store.onAddFailed?.();
        if (cause instanceof AppError) throw cause;
        throw new AppError('queue_unavailable', { cause });
      }
    },
    close: () => store.close(),
  };
}
