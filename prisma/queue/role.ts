import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import pg from 'pg';
import { MigrationRefused } from '../refused.js';

/**
 * Creates the queue's role, or sets its password and limit again. `client` needs CREATEROLE.
 * @returns its name
 * @throws MigrationRefused for the role of `client`, and for an address without a password
 */
export async function ensureQueueRole(
  client: pg.Client,
  queueDatabaseUrl: string,
  connectionLimit?: number | undefined,
): Promise<string> {
  const { user, password } = credentialsOf(queueDatabaseUrl);
  const me = await client.query<{ name: string; most: number }>(
    "SELECT current_user AS name, current_setting('max_connections')::int AS most",
  );
  const [server = { name: '', most: 0 }] = me.rows;
  if (server.name === user) {
    throw new MigrationRefused(
      'the queue needs a separate role, not the one that owns the orders.',
    );
  }
  const known = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [user]);
  const verb = known.rowCount === 0 ? 'CREATE' : 'ALTER';
  const secret = pg.escapeLiteral(scramVerifier(password));
  // Half of the server's: the other half stays for the orders, whatever the edge opens.
  const limit = connectionLimit ?? Math.floor(server.most / 2);
  await client.query(
    `${verb} ROLE ${pg.escapeIdentifier(user)} LOGIN CONNECTION LIMIT ${limit} PASSWORD ${secret}`,
  );
  return user;
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
