import pg from 'pg';
import { databaseName } from './database.js';

/** Apart from all other tables; PAYONCE_QUEUE_SCHEMA names another. */
export const DEFAULT_QUEUE_SCHEMA = 'payonce_queue';

/** BullMQ keeps a sequence for each of our queues. */
const QUEUES = ['notifications', 'gateway-reports'];

/**
 * Creates the tables of BullMQ's PostgreSQL backend in the database of `client`, which must own it.
 * The role may add, take and remove jobs there, and nothing else: it creates nothing that stays,
 * and it cannot write the table of BullMQ's migrations.
 */
export async function prepareQueueSchema(
  client: pg.Client,
  roleName: string,
  schemaName: string = DEFAULT_QUEUE_SCHEMA,
): Promise<void> {
  // Imported only here: BullMQ is large, and most migrations have no PostgreSQL queue.
  const { runMigrations } = await import('bullmq');
  await runMigrations(client, schemaName);

  const role = pg.escapeIdentifier(roleName);
  const schema = pg.escapeIdentifier(schemaName);
  const database = pg.escapeIdentifier(await databaseName(client));
  await createSequences(client, schema);
  const grants = [
    // PUBLIC means every role, including the queue's: its rights are granted by name below.
    `REVOKE ALL ON DATABASE ${database} FROM PUBLIC`,
    'REVOKE ALL ON SCHEMA public FROM PUBLIC',
    // TEMPORARY, because BullMQ's addBulk gathers its rows in a temporary table.
    `GRANT CONNECT, TEMPORARY ON DATABASE ${database} TO ${role}`,
    `REVOKE CREATE ON SCHEMA ${schema} FROM ${role}`,
    `GRANT USAGE ON SCHEMA ${schema} TO ${role}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`,
    `REVOKE INSERT, UPDATE, DELETE ON ${schema}.migration FROM ${role}`,
    `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${schema} TO ${role}`,
  ];
  for (const sequence of await ownSequences(client, schemaName)) {
    grants.push(`GRANT USAGE, SELECT, UPDATE ON SEQUENCE ${sequence} TO ${role}`);
  }
  // One transaction, since gateways work meanwhile.
  await client.query(['BEGIN', ...grants, 'COMMIT'].join(';\n'));
}

/** BullMQ's functions create them on first use, if they are missing; the queue's role may not. */
async function createSequences(client: pg.Client, schema: string): Promise<void> {
  for (const queue of QUEUES) {
    const { rows } = await client.query<{ name: string }>(
      `SELECT ${schema}.job_id_seq_name($1) AS name`,
      [queue],
    );
    const name = pg.escapeIdentifier(rows[0]?.name ?? '');
    await client.query(`CREATE SEQUENCE IF NOT EXISTS ${schema}.${name}`);
  }
}

/**
 * Sequences that the queue's role created, when it still could, belong to it. They need no grant,
 * and the owner of the orders may give none.
 */
async function ownSequences(client: pg.Client, schemaName: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, sequencename) AS name FROM pg_sequences
     WHERE schemaname = $1 AND sequenceowner = current_user`,
    [schemaName],
  );
  return rows.map(({ name }) => name);
}
