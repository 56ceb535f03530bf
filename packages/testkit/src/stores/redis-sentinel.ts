import { eventually } from '../machine/poll.js';
import type { RedisAccess } from './redis-access.js';
import { ask } from './redis-cli.js';
import { type OwnRedis, startOwnRedis, startOwnSentinel } from './redis-server.js';

/** A separate master with Sentinels for one test. */
export interface OwnSentinels {
  readonly servers: readonly OwnRedis[];
  readonly sentinels: readonly OwnRedis[];
  /** The server that the Sentinels call the master. */
  master(): Promise<OwnRedis>;
  remove(): Promise<void>;
}

export const MASTER_NAME = 'mymaster';

export interface SentinelOptions {
  readonly replicas?: 0 | 1;
  /** An odd number. */
  readonly sentinels?: number;
  readonly access?: { readonly servers: RedisAccess; readonly sentinels: RedisAccess };
}

export async function startOwnSentinels(options: SentinelOptions = {}): Promise<OwnSentinels> {
  const { replicas = 1, sentinels: count = 3, access } = options;
  const majority = (count + 1) / 2;
  const servers: OwnRedis[] = [];
  const sentinels: OwnRedis[] = [];
  const remove = async () => {
    await Promise.all([...sentinels, ...servers].map((one) => one.remove()));
  };
  try {
    const first = await startOwnRedis({}, access?.servers);
    servers.push(first);
    if (replicas === 1) {
      servers.push(await startOwnRedis({ replicaof: `127.0.0.1 ${first.port}` }, access?.servers));
    }
    while (sentinels.length < count) {
      const settings = {
        'sentinel monitor': `${MASTER_NAME} 127.0.0.1 ${first.port} ${majority}`,
        // The defaults, 30 s and 3 min, are long for a test.
        'sentinel down-after-milliseconds': `${MASTER_NAME} 1500`,
        'sentinel failover-timeout': `${MASTER_NAME} 5000`,
        ...(access && {
          'sentinel auth-user': `${MASTER_NAME} ${access.servers.username}`,
          'sentinel auth-pass': `${MASTER_NAME} ${access.servers.password}`,
        }),
      };
      sentinels.push(await startOwnSentinel(settings, access?.sentinels));
    }
    await eventually(() => Promise.all(sentinels.map((one) => knowsAll(one, count, replicas))));
    return { servers, sentinels, remove, master: () => masterOf(sentinels, servers) };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * Whether it knows the other Sentinels and the replicas that it could promote. @throws otherwise
 */
async function knowsAll(sentinel: OwnRedis, count: number, replicas: number): Promise<void> {
  const told = (await ask(sentinel, 'SENTINEL', 'MASTER', MASTER_NAME)).split('\n');
  const field = (name: string) => Number(told[told.indexOf(name) + 1]);
  if (field('num-other-sentinels') !== count - 1 || field('num-slaves') !== replicas) {
    throw new Error('it does not know all yet');
  }
}

async function masterOf(
  sentinels: readonly OwnRedis[],
  servers: readonly OwnRedis[],
): Promise<OwnRedis> {
  const [sentinel] = sentinels;
  const told = sentinel
    ? await ask(sentinel, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME)
    : '';
  const master = servers.find(({ port }) => told.split('\n').includes(String(port)));
  if (!master) throw new Error(`no server is the master: ${told}`);
  return master;
}
