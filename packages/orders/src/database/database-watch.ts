import { type Clock, WRONG_CLOCK_MS } from '@payonce/core/runtime/clock';
import { withDeadline } from '@payonce/core/runtime/deadline';
import { AppError } from '@payonce/core/runtime/errors';
import type { Log } from '@payonce/core/runtime/log';
import { openDatabaseProbe } from './ask-database.js';
import { createDatabaseClock } from './database-clock.js';
import { type DatabaseDurability, databaseFaults } from './faults.js';

/** The result of the last check: `down` without an answer, otherwise the faults of the database. */
export type DatabaseFitness =
  | { readonly ready: true }
  | { readonly ready: false; readonly faults: readonly string[] };

export interface DatabaseWatch {
  /** The database's clock. @throws AppError `database_unavailable` before the first answer */
  readonly clock: Clock;
  /** This process's clock minus the database's, in milliseconds; null before the first answer. */
  differenceMs(): number | null;
  /** Whether this process's clock is so wrong that no schedule may run. */
  clockDiffers(): boolean;
  /** The result of the last check; asks nothing. */
  fitness(): DatabaseFitness;
  /** Whether the worker may take jobs. Asks nothing. */
  mayWork(): boolean;
  /** Asks now. Concurrent callers share one answer. Never throws. */
  look(): Promise<DatabaseFitness>;
  /**
   * Reports an opened or lost connection. The next one may lead to another server, so the watch
   * asks at once.
   */
  suspect(): void;
  /**
   * Resolves when the database is fit and has answered since the last connection was opened.
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
  const { url, applicationName, durability, log } = options;
  if (durability === 'managed') log.warn(MANAGED);
  const probe = openDatabaseProbe(url, applicationName);
  const clock = createDatabaseClock();
  const listeners: (() => void)[] = [];
  let fitness = NOT_ASKED;
  /** The time of the last answer. A worker that was ready goes on taking jobs for a moment. */
  let silentSince = Number.NEGATIVE_INFINITY;
  /** Connections opened or lost, and how many of them the last answer covers. */
  let suspected = 0;
  let answered = -1;
  let clockWasOff = false;
  let looking: Promise<DatabaseFitness> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const differs = () => Math.abs(clock.differenceMs() ?? 0) > WRONG_CLOCK_MS;

  async function ask(): Promise<DatabaseFitness> {
    const before = suspected;
    try {
      const { facts, sample } = await probe.ask();
      clock.add(sample);
      answered = before;
      const faults = databaseFaults(facts, durability);
      return faults.length === 0 ? { ready: true } : { ready: false, faults };
    } catch (err) {
      log.debug({ err }, 'the database does not answer');
      return NOT_ASKED;
    }
  }

  async function lookOnce(): Promise<DatabaseFitness> {
    clearTimeout(timer);
    const found = await ask();
    if (stopped) return found;
    note(found);
    for (const listener of listeners) listener();
    const calm = answered >= suspected ? LOOK_MS : 0;
    timer = setTimeout(look, found.ready ? calm : LOOK_AGAIN_MS);
    return found;
  }

  function note(found: DatabaseFitness): void {
    const before = fitness;
    fitness = found;
    if (describeFitness(before) !== describeFitness(found)) {
      silentSince = before.ready ? performance.now() : Number.NEGATIVE_INFINITY;
      if (found.ready) log.info('the database is ready');
      else log.warn({ faults: found.faults }, 'the database is not ready: no job is taken');
    }
    const isOff = differs();
    if (isOff && !clockWasOff) log.warn({ seconds: seconds(clock.differenceMs()) }, CLOCK_OFF);
    if (!isOff && clockWasOff) log.info('the clock agrees with the database again');
    clockWasOff = isOff;
  }

  function look(): Promise<DatabaseFitness> {
    looking ??= lookOnce().finally(() => {
      looking = null;
    });
    return looking;
  }

  void look();
  return {
    clock: clock.now,
    differenceMs: clock.differenceMs,
    clockDiffers: differs,
    fitness: () => fitness,
    mayWork: () =>
      fitness.ready || (fitness === NOT_ASKED && performance.now() - silentSince < DOWN_GRACE_MS),
    look,
    suspect() {
      suspected += 1;
      void look();
    },
    async assure() {
      for (let tries = 0; tries < ASSURE_TRIES; tries += 1) {
        if (fitness.ready && answered >= suspected) return;
        if (!(await look()).ready) break;
      }
      const detail = fitness.ready ? 'it was not asked' : fitness.faults.join('; ');
      throw new AppError('database_unavailable', { detail });
    },
    onLook: (listener) => void listeners.push(listener),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await withDeadline(probe.close(), CLOSE_LIMIT_MS, 'leaving the database').catch(() => {});
    },
  };
}

/** For probes: `ready`, `down`, or all faults. */
export function describeFitness(fitness: DatabaseFitness): string {
  return fitness.ready ? 'ready' : fitness.faults.join('; ');
}

/** For probes: empty while the clocks agree. */
export function describeClock({ differenceMs, clockDiffers }: DatabaseWatch): { clock?: string } {
  if (!clockDiffers()) return {};
  const ahead = seconds(differenceMs());
  const words = ahead > 0 ? 'ahead of' : 'behind';
  return { clock: `${Math.abs(ahead)} s ${words} the database: no schedule runs` };
}

function seconds(ms: number | null): number {
  return Math.round((ms ?? 0) / 1_000);
}

const MANAGED =
  'PAYONCE_DATABASE_DURABILITY is managed: fsync and full_page_writes of PostgreSQL are not checked';
const CLOCK_OFF =
  "the clock of this process differs from the database's by more than a minute: no schedule runs";
