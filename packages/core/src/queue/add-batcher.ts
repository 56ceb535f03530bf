import { type BatchLimits, createBatchScheduler } from '../runtime/batch-scheduler.js';
import { withDeadline } from '../runtime/deadline.js';
import { AppError } from '../runtime/errors.js';

/** A store in which a bulk add costs little more than a single one. */
export interface BulkStore<Item> {
  /** Resolves when all items are durable. When it throws, some may be. */
  addAll(items: readonly Item[]): Promise<unknown>;
  /** Adds one item, which is the normal case of a quiet system. */
  addOne(item: Item): Promise<unknown>;
}

export interface AddBatchLimits extends BatchLimits {
  /** From this size `addAll` costs the store less than concurrent single adds. */
  readonly minBulkSize: number;
  /** A batch without a response after this time makes room for the next one. */
  readonly batchLimitMs: number;
}

interface PendingAdd<Item> {
  readonly item: Item;
  /** Its sender has its reply already: adding the item now has no use. */
  isAbandoned: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Combines single adds into batches, which start by the rule of `BatchLimits`. A quiet system adds
 * one by one, a busy one many at once. When a batch fails and one of its items may be the cause,
 * each item is added by itself. Adding an item twice changes nothing.
 * @returns adds one item; resolves when it is durable. @throws AppError `deadline_exceeded`, or the
 * store's error
 */
export function createAddBatcher<Item>(
  store: BulkStore<Item>,
  limits: AddBatchLimits,
): (item: Item, limitMs: number) => Promise<void> {
  const schedule = createBatchScheduler<PendingAdd<Item>>(
    limits,
    (batch) => (batch.length < limits.minBulkSize ? addSideBySide(batch) : addTogether(batch)),
    ({ isAbandoned }) => isAbandoned,
  );

  async function addTogether(batch: readonly PendingAdd<Item>[]): Promise<void> {
    try {
      const items = batch.map(({ item }) => item);
      await withDeadline(store.addAll(items), limits.batchLimitMs, 'adding');
      for (const { resolve } of batch) resolve();
    } catch (error) {
      // An AppError concerns the store, not an item.
      const isOfStore = error instanceof AppError;
      for (const one of batch) if (isOfStore || one.isAbandoned) one.reject(error);
      if (!isOfStore) await addSideBySide(batch.filter((one) => !one.isAbandoned));
    }
  }

  async function addSideBySide(batch: readonly PendingAdd<Item>[]): Promise<void> {
    await Promise.all(
      batch.map(({ item, resolve, reject }) =>
        withDeadline(store.addOne(item), limits.batchLimitMs, 'adding').then(resolve, reject),
      ),
    );
  }

  return async (item, limitMs) => {
    const one = { item, isAbandoned: false };
    const added = new Promise<void>((resolve, reject) => {
      schedule(Object.assign(one, { resolve, reject }));
    });
    try {
      await withDeadline(added, limitMs, 'adding');
    } finally {
      // The deadline itself sets it: a clock that is read beside the timer can be a moment behind
      // it.
      one.isAbandoned = true;
    }
  };
}
