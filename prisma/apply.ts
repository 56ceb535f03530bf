import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import {
  forget,
  markRolledBack,
  recordEnd,
  recordFailure,
  recordStart,
} from './migration-table.js';
import type { Migration } from './migrations.js';
import { MigrationRefused } from './refused.js';

/**
 * Milliseconds that one try waits for a lock. A waiting ACCESS EXCLUSIVE lock delays every later
 * statement on the table; a worker's statement may wait several times as long.
 */
export const LOCK_TIMEOUT_MS = 2_000;
/** Milliseconds between two tries, in which the delayed statements run. */
const PAUSE_MS = 3_000;
/** Milliseconds after which a migration without its lock gives up. It leaves nothing behind. */
const GIVE_UP_AFTER_MS = 600_000;

export interface Session {
  readonly client: pg.Client;
  readonly log: (line: string) => void;
  /** For tests: shorter times, in milliseconds. */
  readonly patience?: { readonly pauseMs: number; readonly giveUpAfterMs: number } | undefined;
}

/** @throws MigrationRefused with PostgreSQL's message, after the failure is recorded */
export async function applyMigration(session: Session, migration: Migration): Promise<void> {
  try {
    if (migration.outsideTransaction) await applyOutside(session, migration);
    else await applyInside(session, migration);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    const then = migration.outsideTransaction
      ? 'Repair the cause, and run this tool again. It starts this migration again.'
      : `It changed nothing. Repair the cause, then run this tool with --rolled-back ${migration.name}.`;
    throw new MigrationRefused(`migration ${migration.name} failed: ${error.message}. ${then}`, {
      cause: error,
    });
  }
}

/**
 * The file and its row in one transaction: whenever the process ends, either both exist or neither.
 * Prisma writes the row first; then a person would have to look at an interrupted migration.
 */
async function applyInside({ client, log, patience }: Session, migration: Migration) {
  const startedAt = new Date();
  const attempt = async () => {
    await client.query('BEGIN');
    try {
      await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      const id = await recordStart(client, migration, startedAt);
      await client.query(migration.sql);
      await recordEnd(client, id);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  };
  try {
    await withLockRetries({ name: migration.name, log, patience }, attempt);
  } catch (error) {
    if (error instanceof pg.DatabaseError) {
      // If the connection is lost too, no failure is recorded, and it begins again.
      await recordStart(client, migration, startedAt)
        .then((id) => recordFailure(client, id, logsOf(migration, error)))
        .catch(() => undefined);
    }
    throw error;
  }
}

/** Here the row comes first: it tells the next run that the statement may have left something. */
async function applyOutside({ client, log, patience }: Session, migration: Migration) {
  const index = indexMadeBy(migration);
  const resumed = await markRolledBack(client, migration.name);
  if (resumed) log(`${migration.name} was interrupted or failed: it is run again`);
  // Only the statement's end makes an index valid, so it was interrupted between that and its row.
  const done = resumed && index !== null && (await stateOfIndex(client, index)) === 'valid';
  const id = await recordStart(client, migration);
  const attempt = async () => {
    if (index !== null && (await stateOfIndex(client, index)) === 'invalid') {
      log(`${migration.name}: the invalid index ${index} is dropped`);
      await client.query(`DROP INDEX CONCURRENTLY IF EXISTS public.${pg.escapeIdentifier(index)}`);
    }
    await client.query(alone(migration.sql));
  };
  try {
    // CONCURRENTLY blocks nothing, and starting again costs hours: such a statement waits.
    const waits = /\bconcurrently\b/i.test(migration.sql);
    await client.query(`SET lock_timeout = ${waits ? 0 : LOCK_TIMEOUT_MS}`);
    if (!done) await withLockRetries({ name: migration.name, log, patience }, attempt);
  } catch (error) {
    if (isSeveralStatements(error)) {
      await forget(client, id);
      throw new MigrationRefused(
        `${migration.name} runs outside a transaction, so it may have only one statement. Put each statement into a separate folder.`,
      );
    }
    if (error instanceof MigrationRefused) await forget(client, id);
    if (error instanceof pg.DatabaseError) {
      await recordFailure(client, id, logsOf(migration, error)).catch(() => undefined);
    }
    throw error;
  }
  await recordEnd(client, id);
}

/** Runs `attempt` until it gets its locks. A missing lock is not a failure of the migration. */
export async function withLockRetries(
  { name, log, patience }: Pick<Session, 'log' | 'patience'> & { readonly name: string },
  attempt: () => Promise<void>,
): Promise<void> {
  const giveUpAt = Date.now() + (patience?.giveUpAfterMs ?? GIVE_UP_AFTER_MS);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isLockTrouble(error)) throw error;
      if (Date.now() > giveUpAt) {
        throw new MigrationRefused(
          `${name} got no lock in time (${error.message}). It changed nothing. End the session that holds the lock, and run this tool again.`,
        );
      }
      log(`${name} got no lock (${error.message}), trying again`);
      await sleep(patience?.pauseMs ?? PAUSE_MS);
    }
  }
}

/** `lock_not_available`, `deadlock_detected`. */
function isLockTrouble(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && (error.code === '55P03' || error.code === '40P01');
}

/**
 * The extended protocol: PostgreSQL itself refuses a second statement, before it runs the first.
 */
function alone(text: string): pg.QueryConfig & { readonly queryMode: 'extended' } {
  return { text, queryMode: 'extended' };
}

function isSeveralStatements(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError &&
    error.code === '42601' &&
    error.routine === 'exec_parse_message'
  );
}

const CREATE_INDEX =
  /^create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?(?:"((?:[^"]|"")+)"|([a-z_][\w$]*))\s+on\s/i;

/**
 * The index that the file's statement creates; null when it creates none.
 * @throws MigrationRefused for an index without a name: its remains could not be found again
 */
function indexMadeBy(migration: Migration): string | null {
  const statement = migration.sql.replace(/^\s*--.*$/gm, '').trim();
  if (!/^create\s+(unique\s+)?index\b/i.test(statement)) return null;
  const found = CREATE_INDEX.exec(statement);
  const name = found?.[1]?.replaceAll('""', '"') ?? found?.[2]?.toLowerCase();
  if (name !== undefined) return name;
  throw new MigrationRefused(
    `${migration.name} runs outside a transaction: write CREATE INDEX CONCURRENTLY and the index's name.`,
  );
}

async function stateOfIndex(
  client: pg.Client,
  name: string,
): Promise<'absent' | 'invalid' | 'valid'> {
  const { rows } = await client.query<{ valid: boolean }>(
    `SELECT i.indisvalid AS valid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     WHERE c.relname = $1 AND c.relnamespace = 'public'::regnamespace`,
    [name],
  );
  if (rows[0] === undefined) return 'absent';
  return rows[0].valid ? 'valid' : 'invalid';
}

/** The texts of Prisma's engine, which its users search for. */
function logsOf({ name }: Migration, error: pg.DatabaseError): string {
  const lines = [
    'A migration failed to apply. New migrations cannot be applied before the error is recovered from. Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve',
    `Migration name: ${name}`,
    `Database error code: ${error.code ?? 'N/A'}`,
    `Database error:\n${error.severity ?? 'ERROR'}: ${error.message}`,
  ];
  if (error.detail !== undefined) lines.push(`DETAIL: ${error.detail}`);
  if (error.hint !== undefined) lines.push(`HINT: ${error.hint}`);
  if (error.position !== undefined) lines.push(`Position: ${error.position}`);
  return lines.join('\n\n');
}
