import type { ClientBase } from 'pg';
import { type MigrationRow, readMigrationTable } from './migration-table.js';
import type { Migration } from './migrations.js';
import { MigrationRefused } from './refused.js';

export interface Plan {
  /** The migrations to apply, oldest first. */
  readonly pending: readonly Migration[];
  readonly hasTable: boolean;
}

/**
 * Compares the folder with the database, and changes nothing.
 * @throws MigrationRefused when a person has to look first; the message says what to do
 */
export async function planMigrations(
  client: ClientBase,
  migrations: readonly Migration[],
): Promise<Plan> {
  const rows = await readMigrationTable(client);
  if (rows === null) {
    await refuseForeignDatabase(client);
    return { pending: migrations, hasTable: false };
  }
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  refuseUnknown(rows, known);
  refuseFailed(rows, known);
  refuseChanged(rows, known);
  const finished = new Set(rows.filter((row) => row.finished).map((row) => row.name));
  return { pending: migrations.filter(({ name }) => !finished.has(name)), hasTable: true };
}

type Known = ReadonlyMap<string, Migration>;

/** Prisma silently accepts a database that has more migrations than the folder. */
function refuseUnknown(rows: readonly MigrationRow[], known: Known): void {
  const unknown = rows.map((row) => row.name).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const names = unknown.join(', ');
  if (unknown.length === rows.length) {
    throw new MigrationRefused(
      `the database belongs to another application: it has ${names}, and none of payonce's migrations. Use a separate database for payonce.`,
    );
  }
  const newest = [...known.keys()].at(-1) ?? '';
  if (unknown.some((name) => name > newest)) {
    throw new MigrationRefused(
      `the database is newer than this release of payonce: it has ${names}. Run the newer release, or restore an older backup.`,
    );
  }
  throw new MigrationRefused(
    `the database has ${names}, which prisma/migrations lacks. Copy the folder from the release that made the database.`,
  );
}

/**
 * A file outside a transaction is run again instead: it can be, and an invalid index is useless.
 */
function refuseFailed(rows: readonly MigrationRow[], known: Known): void {
  const failed = rows.filter((row) => !row.finished && !known.get(row.name)?.outsideTransaction);
  if (failed.length === 0) return;
  const names = failed.map((row) => row.name).join(', ');
  const why = failed.map((row) => reasonIn(row.logs)).find((reason) => reason !== undefined);
  throw new MigrationRefused(
    `migration ${names} broke off${why === undefined ? '' : ` (${why})`}: see its row in _prisma_migrations. Repair the cause, then run this tool with --rolled-back ${failed[0]?.name}. The next run applies it again.`,
  );
}

function reasonIn(logs: string | null): string | undefined {
  return logs?.split('\n').find((line) => line.includes('ERROR: '));
}

function refuseChanged(rows: readonly MigrationRow[], known: Known): void {
  const changed = rows.filter(
    (row) => row.finished && !known.get(row.name)?.checksums.includes(row.checksum),
  );
  if (changed.length === 0) return;
  const names = changed.map((row) => row.name).join(', ');
  throw new MigrationRefused(
    `migration ${names} is not the file that was applied (another checksum). Restore the file from the release. A change to the schema needs a new migration.`,
  );
}

/** Tables of extensions contain nobody's data: managed services put some into each database. */
async function refuseForeignDatabase(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
       AND NOT EXISTS (
         SELECT FROM pg_depend d
         WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
       )
     ORDER BY c.relname LIMIT 5`,
  );
  if (rows.length === 0) return;
  const names = rows.map((row) => row.name).join(', ');
  throw new MigrationRefused(
    `the database is not empty (${names}) and has no table _prisma_migrations. Name an empty database. A restored database also needs that table from its backup.`,
  );
}
