import type { Pool } from 'pg';

interface DurabilityRow {
  readonly fsync: string;
  readonly synchronous_commit: string;
  readonly standby: boolean;
}

/**
 * The reasons why this PostgreSQL may lose this role's commits; empty if it may not.
 * https://www.postgresql.org/docs/current/runtime-config-wal.html
 *
 * @throws when it does not respond
 */
export async function postgresFaults(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<DurabilityRow>(
    `select current_setting('fsync') as fsync,
            current_setting('synchronous_commit') as synchronous_commit,
            pg_is_in_recovery() as standby`,
  );
  const faults: string[] = [];
  for (const { fsync, synchronous_commit, standby } of rows) {
    if (fsync !== 'on') faults.push(`fsync is ${fsync}`);
    if (synchronous_commit === 'off') faults.push('synchronous_commit is off');
    if (standby) faults.push('it is a standby');
  }
  return faults;
}
