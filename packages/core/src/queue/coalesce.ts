import { withDeadline } from '../runtime/deadline.js';
import { AppError } from '../runtime/errors.js';
import { type GatherLimits, gather } from '../runtime/gather.js';

/** A store in which a bulk add costs little more than a single one. */
export interface Bulk<Item> {
  /** Resolves when all items are durable. When it throws, some may be. */
  addAll(items: readonly Item[]): Promise<unknown>;
  /** Adds one item, which is the normal case of a quiet system. */
  addOne(item: Item): Promise<unknown>;
}

export interface CoalesceLimits extends GatherLimits {
  /** From this size `addAll` costs the store less than concurrent single adds. */
  readonly bulkFrom: number;
  /** A flush without an answer after this time makes room for the next one. */
  readonly flushLimitMs: number;
}

interface Waiting<Item> {
  readonly item: Item;
  /** Its sender has its answer already: adding the item now has no use. */
  isOver: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Combines single adds into flushes, which start by the rule of `gather`. A quiet system adds one
 * by one, a busy one many at once. When a flush fails and one of its items may be the cause, each
 * item is added by itself. Adding an item twice changes nothing.
 * @returns adds one item; resolves when it is durable. @throws AppError `deadline_exceeded`, or the
 * store's error
 */
export function coalesce<Item>(
  store: Bulk<Item>,
  limits: CoalesceLimits,
): (item: Item, limitMs: number) => Promise<void> {
  const enter = gather<Waiting<Item>>(
    limits,
    (batch) => (batch.length < limits.bulkFrom ? addSideBySide(batch) : addTogether(batch)),
    ({ isOver }) => isOver,
  );

  async function addTogether(batch: readonly Waiting<Item>[]): Promise<void> {
    try {
      const items = batch.map(({ item }) => item);
      await withDeadline(store.addAll(items), limits.flushLimitMs, 'adding');
      for (const { resolve } of batch) resolve();
    } catch (error) {
      // An AppError concerns the store, not an item.
      const isOfStore = error instanceof AppError;
      for (const one of batch) if (isOfStore || one.isOver) one.reject(error);
      if (!isOfStore) await addSideBySide(batch.filter((one) => !one.isOver));
    }
  }

  async function addSideBySide(batch: readonly Waiting<Item>[]): Promise<void> {
    await Promise.all(
      batch.map(({ item, resolve, reject }) =>
        withDeadline(store.addOne(item), limits.flushLimitMs, 'adding').then(resolve, reject),
      ),
    );
  }

  return async (item, limitMs) => {
    const one = { item, isOver: false };
    const added = new Promise<void>((resolve, reject) => {
      enter(Object.assign(one, { resolve, reject }));
    });
    try {
      await withDeadline(added, limitMs, 'adding');
    } finally {
      // The deadline itself sets it: a clock that is read beside the timer can be a moment behind
      // it.
      one.isOver = true;
    }
  };
}
