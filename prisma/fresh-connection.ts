import pg from 'pg';

/** The time limit of a probe. */
const LIMIT_MS = 2_000;

/** Whether the database responds on a new connection. Never throws. */
export async function respondsOnFreshConnection(url: string): Promise<boolean> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: LIMIT_MS,
    query_timeout: LIMIT_MS,
  });
  // A connection that dies also rejects the query; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
