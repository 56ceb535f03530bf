import { type Clock, WRONG_CLOCK_MS } from '@payonce/core/runtime/clock';
import { withDeadline } from '@payonce/core/runtime/deadline';
import { AppError } from '@payonce/core/runtime/errors';
import type { Log } from '@payonce/core/runtime/log';
import { type DatabaseProbe, openDatabaseProbe } from './ask-database.js';
import { createDatabaseClock } from './database-clock.js';
import { type DatabaseDurability, databaseFaults } from './faults.js';
import type { DatabaseLook, RewindWatch } from './rewind-watch.js';

/**
 * The result of the last check: `down` without a response, otherwise the faults of the database.
 */
export type DatabaseFitness =
  | { readonly ready: true }
  | { readonly ready: false; readonly faults: readonly string[] };

export interface DatabaseWatch {
  /** The database's clock. @throws AppError `database_unavailable` before the first response */
  readonly clock: Clock;
  /** This process's clock minus the database's, in milliseconds; null before the first response. */
  differenceMs(): number | null;
  /** Whether this process's clock is so wrong that no schedule may run. */
  clockDiffers(): boolean;
  /** The result of the last check; asks nothing. */
  fitness(): DatabaseFitness;
  /** Whether the worker may take jobs. Asks nothing. */
  mayWork(): boolean;
  /** Asks now. Concurrent callers share one response. Never throws. */
  look(): Promise<DatabaseFitness>;
  /**
   * Reports an opened or lost connection. The next one may lead to another server, so the watch
   * asks at once.
   */
  suspect(): void;
  /**
   * Resolves when the database is fit and has responded since the last connection was opened.
   * @throws AppError `database_unavailable`
   */
  assure(): Promise<void>;
  /** Runs after each check. */
  onLook(listener: () => void): void;
  stop(): Promise<void>;
}

export interface DatabaseWatchOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly durability: DatabaseDurability;
  /** Learns each response of a fit database; nothing relies on that one before it resolves. */
  readonly rewinds?: RewindWatch;
  readonly log: Log;
}

/** The interval while the database is ready, and while it is not. */
const LOOK_MS = 5_000;
const LOOK_AGAIN_MS = 1_000;
/** A restart takes less. Jobs taken meanwhile fail and are retried; nothing is applied. */
const DOWN_GRACE_MS = 3_000;
/** A question that hangs must not keep the process from ending. */
const CLOSE_LIMIT_MS = 1_000;
/** The number of connections that may open while `assure` asks. */
const ASSURE_TRIES = 5;

const NOT_ASKED: DatabaseFitness = { ready: false, faults: ['down'] };

/** Asks the orders' database at intervals for its time, and whether it keeps what is committed. */
export function watchDatabase(options: DatabaseWatchOptions): DatabaseWatch {
  const { url, applicationName, durability, rewinds, log } = options;
  if (durability === 'managed')
    log.warn({ setting: 'PAYONCE_DATABASE_DURABILITY' }, 'database.durability_unchecked');
  const watch = new Watch(openDatabaseProbe(url, applicationName), durability, rewinds, log);
  void watch.look();
  // Callers pass single functions on, without the object.
  return {
    clock: () => watch.now(),
    differenceMs: () => watch.differenceMs(),
    clockDiffers: () => watch.clockDiffers(),
    fitness: () => watch.fitness(),
    mayWork: () => watch.mayWork(),
    look: () => watch.look(),
    suspect: () => watch.suspect(),
    assure: () => watch.assure(),
    onLook: (listener) => watch.onLook(listener),
    stop: () => watch.stop(),
  };
}

class Watch {
  readonly #clock = createDatabaseClock();
  readonly #listeners: (() => void)[] = [];
  #fitness = NOT_ASKED;
  /** The time of the last response. A worker that was ready goes on taking jobs for a moment. */
  #silentSince = Number.NEGATIVE_INFINITY;
  /** Connections opened or lost, and how many of them the last response covers. */
  #suspected = 0;
  #responded = -1;
  #clockWasOff = false;
  #lacksPosition = false;
  #looking: Promise<DatabaseFitness> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    private readonly probe: DatabaseProbe,
    private readonly durability: DatabaseDurability,
    private readonly rewinds: RewindWatch | undefined,
    private readonly log: Log,
  ) {}

  now(): Date {
    return this.#clock.now();
  }

  differenceMs(): number | null {
    return this.#clock.differenceMs();
  }

  clockDiffers(): boolean {
    return Math.abs(this.differenceMs() ?? 0) > WRONG_CLOCK_MS;
  }

  fitness(): DatabaseFitness {
    return this.#fitness;
  }

  mayWork(): boolean {
    const isSilent = this.#fitness === NOT_ASKED;
    return (
      this.#fitness.ready || (isSilent && performance.now() - this.#silentSince < DOWN_GRACE_MS)
    );
  }

  look(): Promise<DatabaseFitness> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  suspect(): void {
    this.#suspected += 1;
    void this.look();
  }

  async assure(): Promise<void> {
    for (let tries = 0; tries < ASSURE_TRIES; tries += 1) {
      if (this.#fitness.ready && this.#responded >= this.#suspected) return;
      if (!(await this.look()).ready) break;
    }
    const detail = this.#fitness.ready ? 'it was not asked' : this.#fitness.faults.join('; ');
    throw new AppError('database_unavailable', { detail });
  }

  onLook(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await withDeadline(this.probe.close(), CLOSE_LIMIT_MS, 'leaving the database').catch(() => {});
  }

  async #lookOnce(): Promise<DatabaseFitness> {
    clearTimeout(this.#timer);
    const fitness = await this.#ask();
    if (this.#stopped) return fitness;
    this.#note(fitness);
    for (const listener of this.#listeners) listener();
    const calm = this.#responded >= this.#suspected ? LOOK_MS : 0;
    this.#timer = setTimeout(() => this.look(), fitness.ready ? calm : LOOK_AGAIN_MS);
    return fitness;
  }

  async #ask(): Promise<DatabaseFitness> {
    const before = this.#suspected;
    try {
      const { facts, sample, position } = await this.probe.ask();
      this.#clock.add(sample);
      const faults = databaseFaults(facts, this.durability);
      if (faults.length === 0) await this.#examine(position);
      this.#responded = before;
      return faults.length === 0 ? { ready: true } : { ready: false, faults };
    } catch (err) {
      this.log.debug({ err }, 'database.unavailable');
      return NOT_ASKED;
    }
  }

  async #examine(position: DatabaseLook | null): Promise<void> {
    if (position !== null) return this.rewinds?.examine(position);
    if (!this.#lacksPosition) this.log.warn('database.position_unavailable');
    this.#lacksPosition = true;
  }

  /** Logs what changed. */
  #note(fitness: DatabaseFitness): void {
    const before = this.#fitness;
    this.#fitness = fitness;
    if (describeFitness(before) !== describeFitness(fitness)) {
      this.#silentSince = before.ready ? performance.now() : Number.NEGATIVE_INFINITY;
      if (fitness.ready) this.log.info('database.ready');
      else this.log.warn({ faults: fitness.faults }, 'database.not_ready');
    }
    const isOff = this.clockDiffers();
    if (isOff && !this.#clockWasOff) {
      this.log.warn({ seconds: seconds(this.differenceMs()) }, 'clock.differs_from_database');
    }
    if (!isOff && this.#clockWasOff) this.log.info('clock.agrees_with_database');
    this.#clockWasOff = isOff;
  }
}

/** For probes: `ready`, `down`, or all faults. */
export function describeFitness(fitness: DatabaseFitness): string {
  return fitness.ready ? 'ready' : fitness.faults.join('; ');
}

/** For probes: empty while the clocks agree. */
export function describeClock(watch: DatabaseWatch): { clock?: string } {
  if (!watch.clockDiffers()) return {};
  const ahead = seconds(watch.differenceMs());
  const words = ahead > 0 ? 'ahead of' : 'behind';
  return { clock: `${Math.abs(ahead)} s ${words} the database: no schedule runs` };
}

function seconds(ms: number | null): number {
  return Math.round((ms ?? 0) / 1_000);
}
