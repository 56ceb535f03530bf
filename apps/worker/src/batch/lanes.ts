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
export class Lanes<Item, Outcome> {
  readonly #options: LanesOptions<Item, Outcome>;
  readonly #lanes = new Map<string, Lane<Item, Outcome>>();
  readonly #turns: Turns;
  #waiting = 0;

  constructor(options: LanesOptions<Item, Outcome>) {
    this.#options = options;
    this.#turns = new Turns(options.maxAtOnce);
  }

  /**
   * @throws AppError `locked` when others keep it locked for longer; or the error of applying it
   */
  async submit(item: Item): Promise<Outcome> {
    const { together, keyOf } = this.#options;
    const lane = this.#lanes.size === 0 ? null : keyOf(item);
    if (lane !== null && this.#lanes.has(lane)) return this.#add(lane, item);
    try {
      return await together(item);
    } catch (error) {
      if (!isLocked(error) || hasWaited(error)) throw error;
      const key = keyOf(item);
      if (key === null) throw error;
      return this.#add(key, item);
    }
  }

  #add(key: string, item: Item): Promise<Outcome> {
    const lane = this.#laneOf(key);
    if (lane.isStuck && this.#waiting >= this.#options.room) {
      return Promise.reject(new AppError('locked'));
    }
    clearTimeout(lane.closing);
    this.#waiting += 1;
    const outcome = new Promise<Outcome>((resolve, reject) => {
      lane.entries.push({ item, tries: 0, resolve, reject });
    });
    void this.#run(key, lane);
    return outcome.finally(() => {
      this.#waiting -= 1;
    });
  }

  #laneOf(key: string): Lane<Item, Outcome> {
    const known = this.#lanes.get(key);
    if (known) return known;
    const lane = { entries: [], isRunning: false, isStuck: false, closing: undefined };
    this.#lanes.set(key, lane);
    return lane;
  }

  async #run(key: string, lane: Lane<Item, Outcome>): Promise<void> {
    if (lane.isRunning) return;
    lane.isRunning = true;
    while (lane.entries.length > 0) {
      await this.#turns.begin();
      const batch = lane.entries.splice(0, this.#options.maxBatchSize);
      const again = await this.#apply(batch).finally(() => this.#turns.end());
      lane.isStuck = again.locked;
      lane.entries.unshift(...again.entries);
    }
    lane.isRunning = false;
    lane.closing = setTimeout(() => this.#lanes.delete(key), KEPT_MS).unref();
  }

  /** @returns the items that are tried again */
  async #apply(batch: readonly Entry<Item, Outcome>[]) {
    const items = batch.map(({ item }) => item);
    const results = await this.#options
      .inTurn(items)
      .catch((reason: unknown) => batch.map(() => ({ status: 'rejected', reason }) as const));
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
}

/** At most so many at once; the others wait for their turn. */
class Turns {
  readonly #next: (() => void)[] = [];
  readonly #maxAtOnce: number;
  #atOnce = 0;

  constructor(maxAtOnce: number) {
    this.#maxAtOnce = maxAtOnce;
  }

  async begin(): Promise<void> {
    if (this.#atOnce < this.#maxAtOnce) this.#atOnce += 1;
    else await new Promise<void>((resolve) => this.#next.push(resolve));
  }

  end(): void {
    const next = this.#next.shift();
    if (next) next();
    else this.#atOnce -= 1;
  }
}

/** It was not skipped: PostgreSQL ended its wait for a concurrent insert or a locked table. */
function hasWaited(error: unknown): boolean {
  return error instanceof AppError && error.cause !== undefined;
}
