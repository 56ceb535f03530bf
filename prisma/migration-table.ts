import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { Migration } from './migrations.js';

/** One row of `_prisma_migrations` that is not marked as rolled back. */
export interface MigrationRow {
  readonly name: string;
  readonly checksum: string;
  /** False: it runs now, was interrupted, or failed. */
  readonly finished: boolean;
  /** PostgreSQL's message when it failed. */
  readonly logs: string | null;
}

/** As Prisma's schema engine creates it: either may continue the work of the other. */
const TABLE = `CREATE TABLE public._prisma_migrations (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
)`;

export async function createMigrationTable(client: ClientBase): Promise<void> {
  await client.query(TABLE);
}

/** @returns null where the table does not exist */
export async function readMigrationTable(
  client: ClientBase,
): Promise<readonly MigrationRow[] | null> {
  const table = await client.query(`SELECT to_regclass('public._prisma_migrations') AS name`);
  if (table.rows[0].name === null) return null;
  const { rows } = await client.query<MigrationRow>(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished, logs
     FROM public._prisma_migrations WHERE rolled_back_at IS NULL
     ORDER BY migration_name, started_at`,
  );
  return rows;
}

/** @returns the row's ID */
export async function recordStart(
  client: ClientBase,
  migration: Migration,
  startedAt = new Date(),
): Promise<string> {
  const id = randomUUID();
  await client.query(
    `INSERT INTO public._prisma_migrations (id, checksum, migration_name, started_at)
     VALUES ($1, $2, $3, $4)`,
    [id, migration.checksum, migration.name, startedAt],
  );
  return id;
}

/** A file is one step for Prisma, however many statements it has. */
export async function recordEnd(client: ClientBase, id: string): Promise<void> {
  await client.query(
    `UPDATE public._prisma_migrations
     SET finished_at = clock_timestamp(), applied_steps_count = applied_steps_count + 1
     WHERE id = $1`,
    [id],
  );
}

export async function recordFailure(client: ClientBase, id: string, logs: string): Promise<void> {
  await client.query('UPDATE public._prisma_migrations SET logs = $2 WHERE id = $1', [id, logs]);
}

/** Like `prisma migrate resolve --rolled-back`. @returns whether there was an unfinished row */
export async function markRolledBack(client: ClientBase, name: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE public._prisma_migrations SET rolled_back_at = now()
     WHERE migration_name = $1 AND finished_at IS NULL AND rolled_back_at IS NULL`,
    [name],
  );
  return rowCount !== 0;
}

export async function forget(client: ClientBase, id: string): Promise<void> {
  await client.query('DELETE FROM public._prisma_migrations WHERE id = $1', [id]);
}
