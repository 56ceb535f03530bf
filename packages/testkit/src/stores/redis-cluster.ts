import { eventually } from '../machine/poll.js';
import { anyFreePort } from '../machine/ports.js';
import type { RedisAccess } from './redis-access.js';
import { ask, redisCli } from './redis-cli.js';
import { type OwnRedis, startOwnRedis } from './redis-server.js';

/** A separate Redis Cluster for one test: three masters, with or without replicas. */
export interface OwnCluster {
  readonly nodes: readonly OwnRedis[];
  /** The master that serves a key, as seen by the live nodes. */
  masterOf(key: string): Promise<OwnRedis>;
  remove(): Promise<void>;
}

const MASTERS = 3;
/** The replica replaces a node that is down for so long. The default, 15 s, is long for a test. */
const NODE_TIMEOUT_MS = 1_500;

/** The nodes find each other in a second or two. */
const CREATE_LIMIT_MS = 20_000;

/** @param replicas of each master */
export async function startOwnCluster({
  replicas = 1,
  access,
}: {
  readonly replicas?: 0 | 1;
  readonly access?: RedisAccess;
} = {}): Promise<OwnCluster> {
  const nodes: OwnRedis[] = [];
  const remove = async () => void (await Promise.all(nodes.map((node) => node.remove())));
  try {
    await Promise.all(
      Array.from({ length: MASTERS * (1 + replicas) }, async () => {
        nodes.push(
          await startOwnRedis(
            {
              'cluster-enabled': 'yes',
              'cluster-node-timeout': String(NODE_TIMEOUT_MS),
              // By default the port plus 10,000, which may be out of range.
              'cluster-port': String(await anyFreePort()),
              ...(access && { 'tls-cluster': 'yes' }),
            },
            access,
          ),
        );
      }),
    );
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const yes = ['--cluster-replicas', String(replicas), '--cluster-yes'];
    await redisCli(access, ['--cluster', 'create', ...addresses, ...yes], CREATE_LIMIT_MS);
    const cluster = { nodes, remove, masterOf: (key: string) => masterOf(nodes, key) };
    await eventually(() => Promise.all(nodes.map((node) => isSettled(node, replicas))));
    return cluster;
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Every slot is served, and every master has its replica. @throws otherwise */
async function isSettled(node: OwnRedis, replicas: number): Promise<void> {
  const info = await ask(node, 'CLUSTER', 'INFO');
  const replication = await ask(node, 'INFO', 'replication');
  const hasPartner =
    replicas === 0 || /role:master[\s\S]*state=online|master_link_status:up/.test(replication);
  if (!info.includes('cluster_state:ok') || !hasPartner) throw new Error('not settled yet');
}

async function masterOf(nodes: readonly OwnRedis[], key: string): Promise<OwnRedis> {
  for (const node of nodes) {
    const slot = Number(await ask(node, 'CLUSTER', 'KEYSLOT', key).catch(() => Number.NaN));
    if (Number.isNaN(slot)) continue;
    const table = await ask(node, 'CLUSTER', 'NODES');
    const port = table.split('\n').flatMap((line) => portServing(line, slot))[0];
    const master = nodes.find((one) => one.port === port);
    if (master) return master;
  }
  throw new Error(`no node serves ${key}`);
}

/**
 * `<id> <ip:port@bus> <flags> <master> <ping> <pong> <epoch> <link> <slots>…`; empty for a failed
 * one.
 */
function portServing(line: string, slot: number): number[] {
  const [, address = '', flags = '', , , , , , ...ranges] = line.split(' ');
  const serves = ranges.some((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return first <= slot && slot <= last;
  });
  if (!serves || flags.includes('fail')) return [];
  return [Number(/:(\d+)@/.exec(address)?.[1])];
}
