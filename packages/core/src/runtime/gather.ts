/**
 * The rule for the start of a batch. An idle queue flushes at the end of the event loop's tick.
 * While a batch is running, another starts only with at least `besideFrom` items. Once all running
 * batches are slower than `patienceMs`, any size starts, so that a hanging batch blocks nothing.
 */
export interface GatherLimits {
  readonly maxBatchSize: number;
  readonly maxBatchesInFlight: number;
  /**
   * The size from which a batch starts beside a running one; 1 where a small batch costs little.
   */
  readonly besideFrom: number;
  /** A batch that runs longer no longer delays small batches. */
  readonly patienceMs: number;
}

/**
 * @param run processes one batch; must not reject
 * @param isOver whether an item is no longer needed: the next batch leaves it out
 * @returns adds one item
 */
export function gather<Item>(
  limits: GatherLimits,
  run: (batch: readonly Item[]) => Promise<void>,
  isOver: (item: Item) => boolean = () => false,
): (item: Item) => void {
  let waiting: Item[] = [];
  let inFlight = 0;
  /** The running batches that have exceeded `patienceMs`. */
  let late = 0;
  let turnScheduled = false;

  function mayStart(): boolean {
    if (waiting.length === 0 || inFlight >= limits.maxBatchesInFlight) return false;
    return inFlight === late || waiting.length >= limits.besideFrom;
  }

  function scheduleTurn(): void {
    if (turnScheduled || !mayStart()) return;
    turnScheduled = true;
    // After the I/O of this tick: items from one read of a socket share a batch.
    setImmediate(() => {
      turnScheduled = false;
      waiting = waiting.filter((item) => !isOver(item));
      while (mayStart()) void start(waiting.splice(0, limits.maxBatchSize));
    });
  }

  async function start(batch: readonly Item[]): Promise<void> {
    inFlight += 1;
    let isLate = 0;
    const patience = setTimeout(() => {
      isLate = 1;
      late += 1;
      scheduleTurn();
    }, limits.patienceMs);
    await run(batch);
    clearTimeout(patience);
    late -= isLate;
    inFlight -= 1;
    scheduleTurn();
  }

  return (item) => {
    waiting.push(item);
    scheduleTurn();
  };
}
