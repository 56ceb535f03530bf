import { withDeadline } from '../deadline.js';
import { AppError } from '../errors.js';
import { type GatherLimits, gather } from '../gather.js';

/** A store that takes many at once for little more than one. */
export interface Bulk<Item> {
  /** Resolves when all of them are durable. When it throws, some may be. */
  addAll(items: readonly Item[]): Promise<unknown>;
  /** The same of one: what a quiet system does all day. */
  addOne(item: Item): Promise<unknown>;
}

export interface CoalesceLimits extends GatherLimits {
  /** From so many on `addAll` costs the store less than adding them one by one, side by side. */
  readonly bulkFrom: number;
  /** A flush of which nothing is heard makes room for the next one. */
  readonly flushLimitMs: number;
}

interface Waiting<Item> {
  readonly item: Item;
  /** Its sender has been told what became of it: there is nothing to gain from adding it now. */
  isOver: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Adds that come one by one reach the store together, in flushes that begin as `gather` says: a quiet system adds one
 * by one, a busy one many at once.
 * When a flush fails for what one of its items may be to blame for, each is added by itself. Adding again what a
 * flush had added changes nothing.
 * @returns adds one item; resolves when it is durable. @throws AppError `deadline_exceeded`, or what the store throws
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
      // What is ours to throw is about the store, not about an item.
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
      // Told by the deadline itself: a clock that is read beside the timer can be a moment behind it.
      one.isOver = true;
    }
  };
}
