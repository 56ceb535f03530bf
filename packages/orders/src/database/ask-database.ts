import pg from 'pg';
import type { ClockSample } from './database-clock.js';
import { sqlState } from './failure.js';
import type { DatabaseFacts } from './faults.js';
import type { DatabaseLook } from './rewind-watch.js';

export interface DatabaseAnswer {
  readonly facts: DatabaseFacts;
  readonly sample: ClockSample;
  /** Null on a standby, and where it cannot be read. */
  readonly position: DatabaseLook | null;
}

export interface DatabaseProbe {
  /** @throws the driver's error, within seconds */
  ask(): Promise<DatabaseAnswer>;
  close(): Promise<void>;
}

/** A response usually takes milliseconds. A slower one counts as none. */
const ASK_LIMIT_MS = 5_000;
const UNDEFINED_TABLE = '42P01';
/**
 * Not permitted, not supported, unknown: services that are only like PostgreSQL have no position.
 */
const NO_POSITION = new Set(['42501', '0A000', '42883']);

/**
 * Asks on a separate connection. In the pool the question would queue behind transactions that wait
 * for a lock. A locked row would then look like a database that is down.
 */
export function openDatabaseProbe(url: string, applicationName: string): DatabaseProbe {
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    application_name: applicationName,
    connectionTimeoutMillis: ASK_LIMIT_MS,
    query_timeout: ASK_LIMIT_MS,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  });
  // A connection that dies while idle shows at the next question.
  pool.on('error', () => {});
  let hasPosition = true;
  const askFitness = () =>
    ask(pool, APPLIED, 'NULL::json').catch((error) => {
      if (sqlState(error) !== UNDEFINED_TABLE) throw error;
      return ask(pool, 'NULL::text[]', 'NULL::json');
    });
  return {
    async ask() {
      if (!hasPosition) return askFitness();
      try {
        return await ask(pool, APPLIED, POSITION);
      } catch (error) {
        const state = sqlState(error);
        if (state === null) throw error;
        hasPosition = !NO_POSITION.has(state);
        return askFitness();
      }
    },
    close: () => pool.end(),
  };
}

interface Row extends DatabaseFacts {
  readonly databaseMs: number;
  readonly position: DatabaseLook | null;
}

/** The same rule as in `migrate`: an interrupted or rolled back migration is not applied. */
const APPLIED = `(SELECT array_agg(migration_name::text) FROM public._prisma_migrations
  WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL)`;

/** The log's file name begins with the timeline, which the control file has only later. */
const POSITION = `CASE WHEN NOT pg_is_in_recovery() THEN json_build_object(
  'system', (SELECT system_identifier::text FROM pg_control_system()),
  'timeline', substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8),
  'table', coalesce(to_regclass('public.orders')::oid::text, ''),
  'wal', (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::text,
  'versionFloor', (SELECT coalesce(max(version_floor), 0) FROM public.rewinds)) END`;

async function ask(pool: pg.Pool, applied: string, position: string): Promise<DatabaseAnswer> {
  const askedAt = performance.now();
  const { rows } = await pool.query<Row>(`
    SELECT current_setting('fsync') AS fsync,
      current_setting('full_page_writes') AS "fullPageWrites",
      pg_is_in_recovery() AS "inRecovery", ${applied} AS applied,
      ${position} AS position,
      (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "databaseMs"`);
  const respondedAt = performance.now();
  const [row] = rows;
  if (row === undefined) throw new Error('a SELECT without FROM has a row');
  const { databaseMs, position: at, ...facts } = row;
  return { facts, sample: { askedAt, respondedAt, databaseMs }, position: at };
}
