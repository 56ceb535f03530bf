import { type BatchLimits, createBatchScheduler } from './batch-scheduler.js';

/**
 * Collects single items into batches, so that many jobs share one transaction. Independent of
 * queues and databases. While a batch is running, another starts only when it is full, or when the
 * running one is slow. Ten batches of one cost nearly ten times as much as one of ten. Concurrent
 * small batches fill the machine at a moderate rate and slow each other down.
 */
export interface Batcher<Item, Outcome> {
  /**
   * Resolves with the outcome of this item. @throws the item's reason, or the error of `apply` for
   * its batch
   */
  submit(item: Item): Promise<Outcome>;
  /** Items that wait or are being applied. */
  readonly pending: number;
  /**
   * Rejects new items, applies the pending ones, and resolves when every one is settled. Never
   * rejects.
   */
  close(): Promise<void>;
}

type Apply<Item, Outcome> = (
  items: readonly Item[],
) => Promise<readonly PromiseSettledResult<Outcome>[]>;

export interface BatcherOptions<Item, Outcome> {
  /**
   * One result per item, in the items' order. An error settles every item of this batch, and no
   * other.
   */
  readonly apply: Apply<Item, Outcome>;
  readonly maxBatchSize: number;
  readonly maxBatchesInFlight: number;
}

/**
 * A batch takes 10 to 300 ms. A slower one waits for a lock or hangs, and later batches start
 * without it.
 */
const SLOW_AFTER_MS = 500;

interface Waiting<Item, Outcome> {
  readonly item: Item;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

export function createBatcher<Item, Outcome>(
  options: BatcherOptions<Item, Outcome>,
): Batcher<Item, Outcome> {
  const { apply, maxBatchSize, maxBatchesInFlight } = options;
  const limits: BatchLimits = {
    maxBatchSize,
    maxBatchesInFlight,
    minConcurrentBatchSize: maxBatchSize,
    slowAfterMs: SLOW_AFTER_MS,
  };
  const whenDrained: (() => void)[] = [];
  let pending = 0;
  let closed = false;

  const add = createBatchScheduler<Waiting<Item, Outcome>>(limits, async (batch) => {
    await settle(batch, apply);
    pending -= batch.length;
    if (pending === 0) for (const resolve of whenDrained.splice(0)) resolve();
  });

  return {
    submit(item) {
      if (closed) return Promise.reject(new Error('The batcher is closed'));
      pending += 1;
      return new Promise((resolve, reject) => add({ item, resolve, reject }));
    },
    get pending() {
      return pending;
    },
    close() {
      closed = true;
      if (pending === 0) return Promise.resolve();
      return new Promise((resolve) => whenDrained.push(resolve));
    },
  };
}

async function settle<Item, Outcome>(
  batch: readonly Waiting<Item, Outcome>[],
  apply: Apply<Item, Outcome>,
): Promise<void> {
  try {
    const results = await apply(batch.map((waiting) => waiting.item));
    // A missing result must never count as success: the job would leave the queue unapplied.
    if (results.length !== batch.length) {
      throw new Error(`apply gave ${results.length} results for ${batch.length} items`);
    }
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') batch[index]?.resolve(result.value);
      else batch[index]?.reject(result.reason);
    }
  } catch (error) {
    for (const waiting of batch) waiting.reject(error);
  }
}
