import { eventually } from '@payonce/testkit/machine/poll';
import { ask } from '@payonce/testkit/stores/redis-cli';
import { type OwnCluster, startOwnCluster } from '@payonce/testkit/stores/redis-cluster';
import { type OwnRedis, startOwnRedis } from '@payonce/testkit/stores/redis-server';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { NotificationQueue } from '../src/queue/notification-queue.js';
import { openNotificationQueue } from '../src/queue/open-queue.js';
import type { RedisQueueSettings } from '../src/queue/queue-settings.js';
import { createLog } from '../src/runtime/log.js';
import { redisSettings, someJob } from './queue-jobs.js';

/**
 * A master that becomes a replica, as before a restart of its machine, and keeps its connections.
 */

const logged: string[] = [];
beforeEach(() => {
  logged.length = 0;
});

function open(settings: RedisQueueSettings): NotificationQueue {
  const log = createLog({ name: 'test' }, { write: (line) => void logged.push(line) });
  const queue = openNotificationQueue(settings, log);
  onTestFinished(() => queue.close());
  return queue;
}

/** Replaces the slot's master with its replica. */
async function handOver(cluster: OwnCluster, key: string): Promise<void> {
  const master = await cluster.masterOf(key);
  const successor = await eventually(() => replicaOf(master, cluster));
  expect(await ask(successor, 'CLUSTER', 'FAILOVER')).toBe('OK');
  await eventually(async () => expect(await cluster.masterOf(key)).toBe(successor));
}

/** @throws while the master does not know it yet */
async function replicaOf(master: OwnRedis, cluster: OwnCluster): Promise<OwnRedis> {
  const replicas = await ask(master, 'CLUSTER', 'REPLICAS', await ask(master, 'CLUSTER', 'MYID'));
  const replica = cluster.nodes.find(({ port }) => replicas.includes(`:${port}@`));
  if (!replica) throw new Error(`no replica: ${replicas}`);
  return replica;
}

test('a master of a cluster that hands over while nothing is enqueued is replaced by its successor', async () => {
  const cluster = await startOwnCluster();
  onTestFinished(() => cluster.remove());
  const nodes = cluster.nodes.map(({ url }) => url);
  const topology = { kind: 'cluster', nodes, username: undefined, password: undefined } as const;
  const settings = redisSettings('', { topology, prefix: '{handed-over}', waitReplicas: 1 });
  const queue = open(settings);
  await eventually(() => expect(queue.state).toEqual({ state: 'ready' }));
  await handOver(cluster, settings.prefix);
  // Until then an add would find out.
  await eventually(() => expect(logged.join('')).toContain('role is slave'));
  await eventually(() => queue.enqueue(someJob(), 2_000));
});

const connections = async (server: OwnRedis) =>
  Number(/total_connections_received:(\d+)/.exec(await ask(server, 'INFO', 'stats'))?.[1]);

test('a single server that becomes a replica is reconnected about once a second, and logged once', async () => {
  const servers = [await startOwnRedis(), await startOwnRedis()] as const;
  for (const server of servers) onTestFinished(() => server.remove());
  const [server, other] = servers;
  const queue = open(redisSettings(server.url));
  await eventually(() => expect(queue.state).toEqual({ state: 'ready' }));
  await ask(server, 'REPLICAOF', '127.0.0.1', String(other.port));
  const before = await connections(server);
  const start = performance.now();
  // Each check is a connection too.
  let asked = 0;
  await eventually(async () => {
    asked += 1;
    expect(await connections(server)).toBeGreaterThanOrEqual(before + asked + 3);
  });
  expect(performance.now() - start).toBeGreaterThan(2_000);
  expect(logged.filter((line) => line.includes('queue.down'))).toHaveLength(1);
  await ask(server, 'REPLICAOF', 'NO', 'ONE');
  await eventually(() => queue.enqueue(someJob(), 2_000));
});
