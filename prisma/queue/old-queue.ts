import pg from 'pg';
import { databaseName } from './database.js';

/**
 * The old queue: the schema of the queue in the database of the orders, where earlier releases kept
 * it. Workers drain it while gateways add to the separate database.
 */
export interface OldQueue {
  readonly schema: string;
  /** The role of the queue, which loses its access to the orders' database. */
  readonly role: string;
}

/** `stays` has the reason, for people. */
export type OldQueueState =
  | { readonly state: 'absent' | 'dropped' }
  | { readonly state: 'stays'; readonly why: string };

/** As long as a worker's statement waits for a lock at most. */
const LOCK_TIMEOUT_MS = 2_000;
const CONNECT_LIMIT_MS = 5_000;
/** Longer than the lock is waited for, twice. */
const QUERY_LIMIT_MS = 10_000;

/**
 * For a worker: drops the old queue, as `dropOldQueue` does, once it is empty.
 * @param databaseUrl of the orders
 * @param queueDatabaseUrl of the queue; if it is in the same database, there is no old queue
 * @throws when the database does not respond
 */
export async function endOldQueue(
  databaseUrl: string,
  queueDatabaseUrl: string,
  schema: string,
): Promise<OldQueueState> {
  const { database: own = '', user: role = '' } = new pg.Client(queueDatabaseUrl);
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    query_timeout: QUERY_LIMIT_MS,
  });
  // A connection that dies also rejects the query; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    if ((await databaseName(client)) === own) return { state: 'absent' };
    return await dropOldQueue(client, { schema, role });
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== '42501') throw error;
    return { state: 'stays', why: `${error.message}: run the migration tool, which drops it` };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Drops the old queue if no job is left in it and no process uses it. Then the queue's role may no
 * longer connect to the database of the orders. A process that would add a job meanwhile waits, and
 * then finds no table: it does not acknowledge the notification.
 * @param client a session of the owner in the database of the orders
 */
export async function dropOldQueue(client: pg.Client, queue: OldQueue): Promise<OldQueueState> {
  if (!(await exists(client, queue.schema))) return { state: 'absent' };
  const schema = pg.escapeIdentifier(queue.schema);
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
    // First without the lock: most looks end here.
    let why = await whyItStays(client, schema, queue.role);
    if (why === null) {
      await client.query(`LOCK TABLE ${schema}.job IN ACCESS EXCLUSIVE MODE`);
      why = await whyItStays(client, schema, queue.role);
    }
    if (why !== null) {
      await client.query('ROLLBACK');
      return { state: 'stays', why };
    }
    await client.query(`DROP SCHEMA ${schema} CASCADE`);
    await shutOut(client, pg.escapeIdentifier(queue.role));
    await client.query('COMMIT');
    return { state: 'dropped' };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** @param roles escaped names, or PUBLIC, that may no longer connect to this database */
export async function shutOut(client: pg.Client, ...roles: readonly string[]): Promise<void> {
  const database = pg.escapeIdentifier(await databaseName(client));
  await client.query(`REVOKE ALL ON DATABASE ${database} FROM ${roles.join(', ')}`);
}

async function exists(client: pg.Client, schemaName: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = 'job'`,
    [schemaName],
  );
  return (rowCount ?? 0) > 0;
}

async function whyItStays(client: pg.Client, schema: string, role: string): Promise<string | null> {
  const { rows } = await client.query<{ jobs: number; sessions: number }>(
    `SELECT (SELECT count(*)::int FROM ${schema}.job WHERE state <> 'completed') AS jobs,
            (SELECT count(*)::int FROM pg_stat_activity
             WHERE datname = current_database() AND usename = $1) AS sessions`,
    [role],
  );
  const [{ jobs, sessions } = { jobs: 0, sessions: 0 }] = rows;
  if (jobs > 0) return `${jobs} jobs are left in it`;
  if (sessions > 0) return 'processes with the old PAYONCE_QUEUE_DATABASE_URL still use it';
  return null;
}
