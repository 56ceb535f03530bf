import pg from 'pg';
import { MigrationRefused } from '../refused.js';

/** What the queue's address names, as `pg` reads it. */
export function databaseOf(url: string): string {
  return new pg.Client({ connectionString: url }).database ?? '';
}

/** The database that `client` is connected to. */
export async function databaseName(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name');
  return rows[0]?.name ?? '';
}

/**
 * The database of the queue, created if it is missing; the role of `client` owns it then.
 * Connections, advisory locks and the catalog of one database do not concern another.
 * @throws MigrationRefused, with the statements to run, if that role may not create or use it
 */
export async function ensureQueueDatabase(client: pg.Client, name: string): Promise<void> {
  const { rows } = await client.query<{ me: string; mine: boolean | null }>(
    `SELECT current_user AS me,
            (SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = $1) AS mine`,
    [name],
  );
  const [{ me, mine } = { me: '', mine: null }] = rows;
  if (mine === true) return;
  const database = pg.escapeIdentifier(name);
  const owner = pg.escapeIdentifier(me);
  if (mine === false) {
    throw new MigrationRefused(
      `the queue's database ${database} belongs to another role. As its owner or as a superuser run
  ALTER DATABASE ${database} OWNER TO ${owner};
and then this tool again.`,
    );
  }
  try {
    // Not template1, which sessions may use at this moment.
    await client.query(`CREATE DATABASE ${database} TEMPLATE template0`);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== '42501') throw error;
    throw new MigrationRefused(
      `the role ${owner} may not create the queue's database. As a superuser run
  CREATE DATABASE ${database} OWNER ${owner} TEMPLATE template0;
and then this tool again.`,
    );
  }
}
