import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import pg from 'pg';
import { MigrationRefused } from './refused.js';

/** Separate from the orders, which the queue's role cannot even see. */
export const DEFAULT_QUEUE_SCHEMA = 'payonce_queue';

/**
 * Creates the role and the schema of BullMQ's PostgreSQL backend, and BullMQ's tables in it. The
 * role is the public edge's only access to the database: it may use its schema and nothing else.
 * `client` needs CREATEROLE and must own the database. Running it again sets the password again.
 */
export async function prepareQueueSchema(
  client: pg.Client,
  queueDatabaseUrl: string,
  schemaName: string = DEFAULT_QUEUE_SCHEMA,
): Promise<void> {
  const { user, password } = credentialsOf(queueDatabaseUrl);
  const role = pg.escapeIdentifier(user);
  const schema = pg.escapeIdentifier(schemaName);
  await ensureRole(client, user, password);

  // Imported only here: BullMQ is large, and most migrations have no PostgreSQL queue.
  const { runMigrations } = await import('bullmq');
  await runMigrations(client, schemaName);

  const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name');
  const database = pg.escapeIdentifier(rows[0]?.name ?? '');
  const grants = [
    // PUBLIC means every role, including the queue's: its rights are granted by name below.
    `REVOKE ALL ON DATABASE ${database} FROM PUBLIC`,
    'REVOKE ALL ON SCHEMA public FROM PUBLIC',
    // TEMPORARY, because BullMQ's addBulk gathers its rows in a temporary table.
    `GRANT CONNECT, TEMPORARY ON DATABASE ${database} TO ${role}`,
    // CREATE, because it creates a sequence.
    `GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${role}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`,
    `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${schema} TO ${role}`,
  ];
  for (const sequence of await ownSequences(client, schemaName)) {
    grants.push(`GRANT USAGE, SELECT, UPDATE ON SEQUENCE ${sequence} TO ${role}`);
  }
  for (const grant of grants) await client.query(grant);
}

/**
 * Sequences that the queue's role created belong to it. They need no grant, and the owner of the
 * orders may give none.
 */
async function ownSequences(client: pg.Client, schemaName: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, sequencename) AS name FROM pg_sequences
     WHERE schemaname = $1 AND sequenceowner = current_user`,
    [schemaName],
  );
  return rows.map(({ name }) => name);
}

async function ensureRole(client: pg.Client, user: string, password: string): Promise<void> {
  const me = await client.query<{ name: string }>('SELECT current_user AS name');
  if (me.rows[0]?.name === user) {
    throw new MigrationRefused(
      'the queue needs a separate role, not the one that owns the orders.',
    );
  }
  const known = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [user]);
  const verb = known.rowCount === 0 ? 'CREATE' : 'ALTER';
  const secret = pg.escapeLiteral(scramVerifier(password));
  await client.query(`${verb} ROLE ${pg.escapeIdentifier(user)} LOGIN PASSWORD ${secret}`);
}

function credentialsOf(url: string): { user: string; password: string } {
  const parsed = new URL(url);
  const user = decodeURIComponent(parsed.username);
  const password = decodeURIComponent(parsed.password);
  if (user === '' || password === '') {
    throw new MigrationRefused("the queue's database URL must name a role and its password.");
  }
  if (!/^[\x21-\x7e]+$/.test(password)) {
    throw new MigrationRefused("the password in the queue's database URL must be printable ASCII.");
  }
  return { user, password };
}

/**
 * The password as PostgreSQL stores it (SCRAM-SHA-256, RFC 5803). So the password itself is never
 * part of a statement or of a server log.
 */
function scramVerifier(password: string): string {
  const iterations = 4096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
