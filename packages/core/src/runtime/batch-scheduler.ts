/**
 * The rule for the start of a batch. An idle queue starts one at the end of the event loop's tick.
 * While a batch is running, another starts only with at least `minConcurrentBatchSize` items. Once
 * all running batches are slower than `slowAfterMs`, any size starts, so that a hanging batch
 * blocks nothing.
 */
export interface BatchLimits {
  readonly maxBatchSize: number;
  readonly maxBatchesInFlight: number;
  /**
   * The size from which a batch starts beside a running one; 1 where a small batch costs little.
   */
  readonly minConcurrentBatchSize: number;
  /** A batch that runs longer no longer delays small batches. */
  readonly slowAfterMs: number;
}

/**
 * @param run processes one batch; must not reject
 * @param isAbandoned whether an item is no longer needed: the next batch leaves it out
 * @returns adds one item
 */
export function createBatchScheduler<Item>(
  limits: BatchLimits,
  run: (batch: readonly Item[]) => Promise<void>,
  isAbandoned: (item: Item) => boolean = () => false,
): (item: Item) => void {
  let waiting: Item[] = [];
  let inFlight = 0;
  /** The running batches that have exceeded `slowAfterMs`. */
  let slow = 0;
  let turnScheduled = false;

  function mayStart(): boolean {
    if (waiting.length === 0 || inFlight >= limits.maxBatchesInFlight) return false;
    return inFlight === slow || waiting.length >= limits.minConcurrentBatchSize;
  }

  function scheduleTurn(): void {
    if (turnScheduled || !mayStart()) return;
    turnScheduled = true;
    // After the I/O of this tick: items from one read of a socket share a batch.
    setImmediate(() => {
      turnScheduled = false;
      waiting = waiting.filter((item) => !isAbandoned(item));
      while (mayStart()) void start(waiting.splice(0, limits.maxBatchSize));
    });
  }

  async function start(batch: readonly Item[]): Promise<void> {
    inFlight += 1;
    let isSlow = 0;
    const slowTimer = setTimeout(() => {
      isSlow = 1;
      slow += 1;
      scheduleTurn();
    }, limits.slowAfterMs);
    await run(batch);
    clearTimeout(slowTimer);
    slow -= isSlow;
    inFlight -= 1;
    scheduleTurn();
  }

  return (item) => {
    waiting.push(item);
    scheduleTurn();
  };
}
