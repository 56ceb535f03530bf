import { AppError, isLocked } from '@payonce/core/runtime/errors';

type Result<Outcome> = PromiseSettledResult<Outcome>;

export interface LanesOptions<Item, Outcome> {
  /** Applies it in a batch with all others, without waiting for locks. @throws AppError `locked` */
  readonly together: (item: Item) => Promise<Outcome>;
  /**
   * Applies items of one key. Waits a fraction of a second for the transaction that has them
   * locked.
   */
  readonly inTurn: (items: readonly Item[]) => Promise<readonly Result<Outcome>[]>;
  /** The lockable objects that items share: their orders. Null for an item without any. */
  readonly keyOf: (item: Item) => string | null;
  readonly maxBatchSize: number;
  /** How many lanes may apply at once: each takes a connection. */
  readonly maxAtOnce: number;
  /** How many items may wait in stuck lanes: each takes the place of another job. */
  readonly room: number;
}

interface Entry<Item, Outcome> {
  readonly item: Item;
  tries: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

interface Lane<Item, Outcome> {
  entries: Entry<Item, Outcome>[];
  isRunning: boolean;
  /** The last try waited in vain. */
  isStuck: boolean;
  closing: NodeJS.Timeout | undefined;
}

/** A wait is a quarter of a second. A lock that outlasts three waits goes back to the queue. */
const TRIES = 3;
/** An order with many notifications is probably being applied by other workers too. */
const KEPT_MS = 1_000;

/**
 * An order that other transactions have locked gets a separate lane. Its items wait there for their
 * turn, in PostgreSQL's fair queue, and all that arrive meanwhile share a batch. Other items do not
 * wait for them. Repeated tries would starve instead: a batch that skips locks rarely finds an
 * order free that two workers use all the time. Independent of queues and databases.
 */
export function createLanes<Item, Outcome>(options: LanesOptions<Item, Outcome>) {
  const { together, inTurn, keyOf, maxBatchSize, maxAtOnce, room } = options;
  const lanes = new Map<string, Lane<Item, Outcome>>();
  const due: (() => void)[] = [];
  let atOnce = 0;
  let waiting = 0;

  /** Resolves once a connection is free for it. */
  async function turn(): Promise<void> {
    if (atOnce >= maxAtOnce) await new Promise<void>((resolve) => due.push(resolve));
    else atOnce += 1;
  }

  function endTurn(): void {
    const next = due.shift();
    if (next) next();
    else atOnce -= 1;
  }

  function laneOf(key: string): Lane<Item, Outcome> {
    const known = lanes.get(key);
    if (known) return known;
    const lane = { entries: [], isRunning: false, isStuck: false, closing: undefined };
    lanes.set(key, lane);
    return lane;
  }

  function add(key: string, item: Item): Promise<Outcome> {
    const lane = laneOf(key);
    if (lane.isStuck && waiting >= room) return Promise.reject(new AppError('locked'));
    clearTimeout(lane.closing);
    waiting += 1;
    const settled = new Promise<Outcome>((resolve, reject) => {
      lane.entries.push({ item, tries: 0, resolve, reject });
    });
    void run(key, lane);
    return settled.finally(() => {
      waiting -= 1;
    });
  }

  async function run(key: string, lane: Lane<Item, Outcome>): Promise<void> {
    if (lane.isRunning) return;
    lane.isRunning = true;
    while (lane.entries.length > 0) {
      await turn();
      const batch = lane.entries.splice(0, maxBatchSize);
      const again = await apply(batch).finally(endTurn);
      lane.isStuck = again.locked;
      lane.entries.unshift(...again.entries);
    }
    lane.isRunning = false;
    lane.closing = setTimeout(() => lanes.delete(key), KEPT_MS).unref();
  }

  /** @returns the items that are tried again */
  async function apply(batch: readonly Entry<Item, Outcome>[]) {
    const results = await inTurn(batch.map(({ item }) => item)).catch((reason: unknown) =>
      batch.map(() => ({ status: 'rejected', reason }) as const),
    );
    const entries: Entry<Item, Outcome>[] = [];
    let locked = false;
    for (const [index, entry] of batch.entries()) {
      const result = results[index];
      if (result?.status === 'fulfilled') {
        entry.resolve(result.value);
        continue;
      }
      entry.tries += 1;
      const isBusy = isLocked(result?.reason);
      locked ||= isBusy;
      if (isBusy && entry.tries < TRIES) entries.push(entry);
      else entry.reject(result?.reason ?? new Error('no result'));
    }
    return { locked, entries };
  }

  return {
    /**
     * @throws AppError `locked` when others keep it locked for longer; or the error of applying it
     */
    async submit(item: Item): Promise<Outcome> {
      const lane = lanes.size === 0 ? null : keyOf(item);
      if (lane !== null && lanes.has(lane)) return add(lane, item);
      try {
        return await together(item);
      } catch (error) {
        if (!isLocked(error) || hasWaited(error)) throw error;
        const key = keyOf(item);
        if (key === null) throw error;
        return add(key, item);
      }
    },
  };
}

/** It was not skipped: PostgreSQL ended its wait for a concurrent insert or a locked table. */
function hasWaited(error: unknown): boolean {
  return error instanceof AppError && error.cause !== undefined;
}
