import { KNOWN_MIGRATIONS } from '@payonce/prisma/known-migrations';

/** Whether the settings that a managed service may hide or replace are checked. */
export type DatabaseDurability = 'checked' | 'managed';

/** A database's response about itself. */
export interface DatabaseFacts {
  readonly fsync: string;
  readonly fullPageWrites: string;
  readonly inRecovery: boolean;
  /** Migrations that were applied completely; null without a record of any. */
  readonly applied: readonly string[] | null;
}

/**
 * The reasons, in plain English, why jobs may not rely on this database; empty when it is fit. A
 * newer schema is fine: a migration keeps the previous release working.
 *
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
