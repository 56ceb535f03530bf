import { holdsWithin } from '@payonce/testkit/machine/poll';
import { query } from '@payonce/testkit/stores/sessions';
import { now, pause } from '../clock.js';
import type { Cluster } from '../cluster/cluster.js';
import type { Fault } from './fault.js';
import { isQuiet, recordBeganLate } from './measure.js';

const START_LIMIT_MS = 30_000;
const RECONNECT_LIMIT_MS = 4_000;
/** PostgreSQL delays its writes of commits by this time, so that a loss becomes visible. */
const WRITER_DELAY = '10s';

export const postgresFaults: readonly Fault[] = [
  {
    name: 'postgres-away-long',
    does: 'PostgreSQL is down for long; notifications that waited start within ten seconds of its return',
    lasts: 'long',
    besidesMs: 8_000,
    async begin(context) {
      const { postgres } = context.cluster;
      const quiet = await isQuiet(context);
      await postgres.down();
      return async () => {
        postgres.up();
        const answers = await holdsWithin(START_LIMIT_MS, () => ask(context.cluster, ['SELECT 1']));
        if (!answers) throw new Error('PostgreSQL did not come back');
        if (quiet) await recordBeganLate(context, now());
      };
    },
  },
  {
    name: 'commits-lost',
    does: "the orders' role is set to synchronous_commit off, then SIGKILL of PostgreSQL",
    lasts: 'short',
    besidesMs: 3_000,
    async begin({ cluster, progress, say }) {
      const { username: role } = new URL(cluster.databaseUrl);
      await ask(cluster, [
        `ALTER ROLE ${role} SET synchronous_commit = off`,
        `ALTER SYSTEM SET wal_writer_delay = '${WRITER_DELAY}'`,
        'SELECT pg_reload_conf()',
        // Sessions keep the settings with which they began.
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`,
      ]);
      const from = now();
      return async () => {
        await holdsWithin(RECONNECT_LIMIT_MS, () => progress.behind(now() - 500) === 0);
        await pause(500);
        say(`killed ${((now() - from) / 1_000).toFixed(1)} s after its sessions began`);
        await cluster.postgres.crash();
        const mended = await holdsWithin(START_LIMIT_MS, () =>
          ask(cluster, [
            `ALTER ROLE ${role} RESET synchronous_commit`,
            'ALTER SYSTEM RESET wal_writer_delay',
            'SELECT pg_reload_conf()',
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`,
          ]),
        );
        if (!mended) throw new Error('the role could not be set back');
      };
    },
  },
];

/** As superuser, past the proxies. @returns true @throws while PostgreSQL is down */
async function ask({ adminUrl }: Cluster, texts: readonly string[]): Promise<boolean> {
  await query(adminUrl, ...texts);
  return true;
}
