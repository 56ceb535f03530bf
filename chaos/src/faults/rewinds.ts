import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { holdsWithin } from '@payonce/testkit/machine/poll';
import { query } from '@payonce/testkit/stores/sessions';
import { now } from '../clock.js';
import type { Cluster } from '../cluster/cluster.js';
import type { Fault } from './fault.js';

const START_LIMIT_MS = 30_000;

export const rewindFaults: readonly Fault[] = [
  {
    name: 'backup-restored',
    does: 'PostgreSQL is put back to its state some seconds ago; the merchant registers again what is missing',
    lasts: 'medium',
    besidesMs: 10_000,
    async begin({ cluster, registrar, say }) {
      const backup = `${cluster.postgresData}-backup`;
      await whileDown(cluster, () => copy(cluster.postgresData, backup));
      const since = now();
      // What only the standby acknowledged would be lost with it (docs/operate/restore.md).
      const standby = cluster.proxies.gatewayPostgres;
      for (const link of standby) link.inflict({ kind: 'refuse' });
      return async () => {
        await whileDown(cluster, () => copy(backup, cluster.postgresData));
        rmSync(backup, { recursive: true, force: true });
        say(`${((now() - since) / 1_000).toFixed(1)} s were lost`);
        for (const link of standby) link.heal();
        registrar.registerAgain(since);
      };
    },
  },
];

/** SIGKILL leaves data as a crash does: PostgreSQL recovers from a copy of it. */
async function whileDown(cluster: Cluster, work: () => void): Promise<void> {
  await cluster.postgres.down();
  work();
  cluster.postgres.up();
  const answers = await holdsWithin(START_LIMIT_MS, async () => {
    await query(cluster.adminUrl, 'SELECT 1');
    return true;
  });
  if (!answers) throw new Error('PostgreSQL did not come back');
}

/** With its owner, which is not the user of this process. */
function copy(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  execFileSync('cp', ['-a', from, to]);
}
