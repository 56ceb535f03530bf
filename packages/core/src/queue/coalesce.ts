import { withDeadline } from '../deadline.js';
import { AppError } from '../errors.js';

/** A store that takes many at once for little more than one. */
export interface Bulk<Item> {
  /** Resolves when all of them are durable. When it throws, some may be. */
  addAll(items: readonly Item[]): Promise<unknown>;
  /** The same of one: what a quiet system does all day. */
  addOne(item: Item): Promise<unknown>;
}

export interface CoalesceLimits {
  /** Items in one flush. */
  readonly flushSize: number;
  /** While that many are under way, items gather for the next one. */
  readonly flushesInFlight: number;
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
 * Adds that come one by one reach the store together. No add waits for company: a flush takes what is there at the
 * end of this turn of the event loop; only while all flushes are under way do adds gather. So a quiet system adds
 * one by one, and a busy one many at once.
 * When a flush fails for what one of its items may be to blame for, each is added by itself. Adding again what a
 * flush had added changes nothing.
 * @returns adds one item; resolves when it is durable. @throws AppError `deadline_exceeded`, or what the store throws
 */
export function coalesce<Item>(
  store: Bulk<Item>,
  limits: CoalesceLimits,
): (item: Item, limitMs: number) => Promise<void> {
  let waiting: Waiting<Item>[] = [];
  let inFlight = 0;
  let turnScheduled = false;

  function scheduleTurn(): void {
    if (turnScheduled || inFlight >= limits.flushesInFlight) return;
    turnScheduled = true;
    setImmediate(() => {
      turnScheduled = false;
      waiting = waiting.filter((one) => !one.isOver);
      while (waiting.length > 0 && inFlight < limits.flushesInFlight) {
        void flush(waiting.splice(0, limits.flushSize));
      }
    });
  }

  async function flush(batch: readonly Waiting<Item>[]): Promise<void> {
    inFlight += 1;
    try {
      await withDeadline(addTogether(batch), limits.flushLimitMs, 'adding');
      for (const { resolve } of batch) resolve();
    } catch (error) {
      // What is ours to throw is about the store, not about an item.
      if (batch.length === 1 || error instanceof AppError) {
        for (const { reject } of batch) reject(error);
      } else {
        await Promise.all(batch.map((one) => (one.isOver ? one.reject(error) : addAlone(one))));
      }
    }
    inFlight -= 1;
    if (waiting.length > 0) scheduleTurn();
  }

  function addTogether(batch: readonly Waiting<Item>[]): Promise<unknown> {
    const [only, ...others] = batch.map(({ item }) => item);
    if (only === undefined) return Promise.resolve();
    return others.length === 0 ? store.addOne(only) : store.addAll([only, ...others]);
  }

  function addAlone({ item, resolve, reject }: Waiting<Item>): Promise<void> {
    return withDeadline(store.addOne(item), limits.flushLimitMs, 'adding').then(resolve, reject);
  }

  return async (item, limitMs) => {
    const one = { item, isOver: false };
    const added = new Promise<void>((resolve, reject) => {
      waiting.push(Object.assign(one, { resolve, reject }));
      scheduleTurn();
    });
    try {
      await withDeadline(added, limitMs, 'adding');
    } finally {
      // Told by the deadline itself: a clock that is read beside the timer can be a moment behind it.
      one.isOver = true;
    }
  };
}
