import { Client } from 'pg';
import type { Cluster } from '../cluster/cluster.js';

/** Whether a worker's transaction waits for its client longer than any normally does. */
export async function hasOpenBatch({ databaseUrl }: Cluster): Promise<boolean> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 1_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rowCount } = await client.query(
      `SELECT 1 FROM pg_stat_activity
       WHERE application_name = 'payonce-worker' AND state = 'idle in transaction'
         AND state_change < now() - interval '200 ms'`,
    );
    return (rowCount ?? 0) > 0;
  } finally {
    await client.end();
  }
}
