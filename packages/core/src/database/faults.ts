import { KNOWN_MIGRATIONS } from '@payonce/prisma/known-migrations';

/** Whether PostgreSQL is asked for the settings that a service may hide or replace by its own means. */
export type DatabaseDurability = 'checked' | 'managed';

/** What a database says of itself. */
export interface DatabaseFacts {
  readonly fsync: string;
  readonly fullPageWrites: string;
  readonly inRecovery: boolean;
  /** Migrations that were applied to the end; null where there is no record of any. */
  readonly applied: readonly string[] | null;
}

/**
 * Why no job may rest on this database, in plain English; empty when it is fit.
 * A newer schema is fine: migrations are made so that the release before them still works.
 * https://www.postgresql.org/docs/current/runtime-config-wal.html
 */
export function databaseFaults(
  { fsync, fullPageWrites, inRecovery, applied }: DatabaseFacts,
  durability: DatabaseDurability,
  known: readonly string[] = KNOWN_MIGRATIONS,
): string[] {
  const faults: string[] = [];
  if (durability !== 'managed') {
    if (fsync !== 'on') faults.push(`fsync is ${fsync}`);
    if (fullPageWrites !== 'on') faults.push(`full_page_writes is ${fullPageWrites}`);
  }
  if (inRecovery) faults.push('the database is a standby (in recovery)');
  const missing = known.filter((name) => !applied?.includes(name));
  if (missing.length > 0) faults.push(schemaFault(missing));
  return faults;
}

function schemaFault(missing: readonly string[]): string {
  return `the schema is not migrated: run \`node prisma/dist/main.js\` (missing: ${missing.join(', ')})`;
}
