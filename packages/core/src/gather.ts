/**
 * When a batch begins: the one rule of all that goes together, whatever is done with it. With no batch under way, one
 * takes what is there at the end of this turn of the event loop: nothing waits for company in an idle system. Beside
 * others only one begins that is large enough, or anything once those take long, so that what hangs holds up nobody.
 */
export interface GatherLimits {
  readonly maxBatchSize: number;
  readonly maxBatchesInFlight: number;
  /** What waits beside a batch under way goes when it is so many; 1 where a small batch costs little. */
  readonly besideFrom: number;
  /** A batch that takes longer makes nothing wait for company any more. */
  readonly patienceMs: number;
}

/**
 * @param run one batch; must not reject
 * @param isOver whether nobody waits for this one any more: it is left out of the batch that is about to begin
 * @returns adds one item to what waits
 */
export function gather<Item>(
  limits: GatherLimits,
  run: (batch: readonly Item[]) => Promise<void>,
  isOver: (item: Item) => boolean = () => false,
): (item: Item) => void {
  let waiting: Item[] = [];
  let inFlight = 0;
  /** Of those in flight, the ones that have used up their patience. */
  let late = 0;
  let turnScheduled = false;

  function mayStart(): boolean {
    if (waiting.length === 0 || inFlight >= limits.maxBatchesInFlight) return false;
    return inFlight === late || waiting.length >= limits.besideFrom;
  }

  function scheduleTurn(): void {
    if (turnScheduled || !mayStart()) return;
    turnScheduled = true;
    // After the I/O of this turn: what came in one read of a socket shares a batch.
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
