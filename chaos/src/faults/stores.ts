import { holdsWithin } from '@payonce/testkit/machine/poll';
import type { ManagedProcess } from '../cluster/managed-process.js';
import { type Fault, type FaultContext, nothingToEnd } from './fault.js';

const CONFIG_LIMIT_MS = 15_000;

export const storeFaults: readonly Fault[] = [
  {
    name: 'redis-killed',
    does: 'SIGKILL of Redis; it restarts from its append-only file',
    lasts: 'moment',
    begin: ({ cluster }) => crash(cluster.redis),
  },
  {
    name: 'postgres-killed',
    does: 'SIGKILL of PostgreSQL and its backends; it restarts and recovers from its log',
    lasts: 'moment',
    begin: ({ cluster }) => crash(cluster.postgres),
  },
  {
    name: 'redis-stopped',
    does: 'SIGSTOP of Redis: connections stay open and nothing answers',
    lasts: 'long',
    begin: ({ cluster }) => freeze(cluster.redis),
  },
  {
    name: 'postgres-stopped',
    does: 'SIGSTOP of PostgreSQL and its backends: orders and standby queue hang',
    lasts: 'long',
    begin: ({ cluster }) => freeze(cluster.postgres),
  },
  {
    name: 'both-stores-down',
    does: 'Redis and PostgreSQL are killed and stay down: nothing may be acknowledged',
    lasts: 'short',
    async begin({ cluster: { redis, postgres } }) {
      await Promise.all([redis.down(), postgres.down()]);
      return () => {
        redis.up();
        postgres.up();
      };
    },
  },
  {
    name: 'stores-after-apps',
    does: 'everything is killed; gateways and workers start first, the stores later',
    lasts: 'short',
    async begin({ cluster }) {
      const { redis, postgres, gateways, workers } = cluster;
      const apps = [...gateways, ...workers].map(({ process }) => process);
      await Promise.all([redis, postgres, ...apps].map((one) => one.down()));
      for (const app of apps) app.up();
      return () => {
        redis.up();
        postgres.up();
      };
    },
  },
  {
    name: 'redis-full',
    does: 'Redis has no memory left (maxmemory of one byte) and refuses every write',
    lasts: 'short',
    async begin(context) {
      await setMaxMemory(context, '1');
      return () => setMaxMemory(context, '0');
    },
  },
  {
    name: 'redis-disk-full',
    does: "the disk of Redis's append-only file is full: Redis exits, and cannot restart",
    lasts: 'short',
    arrange: async ({ cluster: { redisDisk } }) => (redisDisk.own ? null : redisDisk.why),
    async begin({ cluster: { redisDisk, redis }, say }) {
      if (!redisDisk.own) throw new Error(redisDisk.why);
      const before = redis.ownEnds;
      redisDisk.fill();
      return () => {
        say(`Redis ended ${redis.ownEnds - before} times for want of disk`);
        redisDisk.empty();
      };
    },
  },
];

async function crash(store: ManagedProcess): Promise<() => void> {
  await store.crash();
  return nothingToEnd;
}

async function freeze(store: ManagedProcess): Promise<() => void> {
  store.freeze();
  return () => store.thaw();
}

async function setMaxMemory({ queues }: FaultContext, bytes: string): Promise<void> {
  const set = await holdsWithin(CONFIG_LIMIT_MS, async () => {
    return (await queues.command('CONFIG', 'SET', 'maxmemory', bytes)) === 'OK';
  });
  if (!set) throw new Error('Redis did not take CONFIG SET maxmemory');
}
