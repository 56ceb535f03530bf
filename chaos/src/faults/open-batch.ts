import { query } from '@payonce/testkit/stores/sessions';
import type { Cluster } from '../cluster/cluster.js';

/** Whether a worker's transaction waits for its client longer than any normally does. */
export async function hasOpenBatch({ databaseUrl }: Cluster): Promise<boolean> {
  const open = await query(
    databaseUrl,
    `SELECT 1 FROM pg_stat_activity
     WHERE application_name = 'payonce-worker' AND state = 'idle in transaction'
       AND state_change < now() - interval '200 ms'`,
  );
  return open.length > 0;
}
