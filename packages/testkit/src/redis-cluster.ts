import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually } from './eventually.js';
import { freePort, type OwnRedis, startOwnRedis } from './redis-server.js';

const run = promisify(execFile);

/** A Redis Cluster of a test's own: three masters, a replica each. */
export interface OwnCluster {
  readonly nodes: readonly OwnRedis[];
  /** The master that serves a key, as the nodes that are alive see it. */
  masterOf(key: string): Promise<OwnRedis>;
  remove(): Promise<void>;
}

const MASTERS = 3;
/** A node that is away for so long is replaced by its replica. The default, 15 s, is long for a test. */
const NODE_TIMEOUT_MS = 1_500;

export async function startOwnCluster(): Promise<OwnCluster> {
  const nodes: OwnRedis[] = [];
  const remove = async () => void (await Promise.all(nodes.map((node) => node.remove())));
  try {
    await Promise.all(
      Array.from({ length: 2 * MASTERS }, async () => {
        nodes.push(
          await startOwnRedis({
            'cluster-enabled': 'yes',
            'cluster-node-timeout': String(NODE_TIMEOUT_MS),
            // By default the port plus 10,000, which may not be one.
            'cluster-port': String(await freePort()),
          }),
        );
      }),
    );
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const yes = ['--cluster-replicas', '1', '--cluster-yes'];
    await run('redis-cli', ['--cluster', 'create', ...addresses, ...yes]);
    const cluster = { nodes, remove, masterOf: (key: string) => masterOf(nodes, key) };
    await eventually(() => Promise.all(nodes.map(isSettled)));
    return cluster;
  } catch (error) {
    await remove();
    throw error;
  }
}

async function cli({ port }: OwnRedis, ...command: string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['-p', String(port), ...command], { timeout: 2_000 });
  return stdout.trim();
}

/** Every slot is served, and every master has its replica. @throws while it is not so */
async function isSettled(node: OwnRedis): Promise<void> {
  const info = await cli(node, 'CLUSTER', 'INFO');
  const replication = await cli(node, 'INFO', 'replication');
  const hasPartner = /role:master[\s\S]*state=online|master_link_status:up/.test(replication);
  if (!info.includes('cluster_state:ok') || !hasPartner) throw new Error('not settled yet');
}

async function masterOf(nodes: readonly OwnRedis[], key: string): Promise<OwnRedis> {
  for (const node of nodes) {
    const slot = Number(await cli(node, 'CLUSTER', 'KEYSLOT', key).catch(() => Number.NaN));
    if (Number.isNaN(slot)) continue;
    const table = await cli(node, 'CLUSTER', 'NODES');
    const port = table.split('\n').flatMap((line) => portServing(line, slot))[0];
    const master = nodes.find((one) => one.port === port);
    if (master) return master;
  }
  throw new Error(`no node serves ${key}`);
}

/** `<id> <ip:port@bus> <flags> <master> <ping> <pong> <epoch> <link> <slots>…`; of one that failed nothing. */
function portServing(line: string, slot: number): number[] {
  const [, address = '', flags = '', , , , , , ...ranges] = line.split(' ');
  const serves = ranges.some((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return first <= slot && slot <= last;
  });
  if (!serves || flags.includes('fail')) return [];
  return [Number(/:(\d+)@/.exec(address)?.[1])];
}
