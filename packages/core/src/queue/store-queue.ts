import { AppError } from '../runtime/errors.js';
import { type AddBatchLimits, type BulkStore, createAddBatcher } from './add-batcher.js';
import type { NewJob } from './job.js';
import {
  describeState,
  isReady,
  type NotificationQueue,
  type QueueState,
} from './notification-queue.js';

/** One store of jobs, which makes what it is given durable at once. */
export interface JobStore extends BulkStore<NewJob> {
  readonly name: string;
  /** The last known state. Reading it asks nothing. */
  readonly state: QueueState;
  /** How adds to this store are combined. */
  readonly addBatches: AddBatchLimits;
  /** Called after an add that failed, or took too long. */
  onAddFailed?(): void;
  close(): Promise<void>;
}

/** The queue in one store. It refuses at once while the store is not ready, and adds in batches. */
export function storeQueue(store: JobStore): NotificationQueue {
  const { name } = store;
  const add = createAddBatcher(store, store.addBatches);
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
