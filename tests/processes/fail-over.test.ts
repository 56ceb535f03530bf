import { until } from '@payonce/testkit/machine/poll';
import { type OwnPostgres, startOwnPostgres } from '@payonce/testkit/stores/own-postgres';
import { makeRedisAccess } from '@payonce/testkit/stores/redis-access';
import { startOwnCluster } from '@payonce/testkit/stores/redis-cluster';
import { startOwnSentinels } from '@payonce/testkit/stores/redis-sentinel';
import type { OwnRedis } from '@payonce/testkit/stores/redis-server';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { addWorker, closeShop, openShop, type Shop } from '../shop.js';
import { queuedIn, untilAllReady } from '../stores-of.js';
import { expectPaidOnce, startSteadyLoad } from './steady-load.js';

/**
 * A master is killed while it holds jobs that were acknowledged and not yet applied. Redis alone
 * decides whether they are lost: no worker takes jobs before.
 */

const WAIT_LIMIT_MS = 30_000;
const FEW = 60;

let postgres: OwnPostgres;

beforeAll(async () => {
  postgres = await startOwnPostgres();
});
afterAll(() => postgres.remove());

async function open(redis: Record<string, string>): Promise<Shop> {
  const servers = { redis, postgresUrl: postgres.adminUrl, templateDatabase: null };
  const shop = await openShop('redis', { worker: false, own: servers });
  onTestFinished(() => closeShop(shop));
  await untilAllReady(shop);
  return shop;
}

/** @param masterNow returns the present master of the shard `redis` */
async function survivesTheEndOf(masterNow: () => Promise<OwnRedis>, shop: Shop): Promise<void> {
  const load = startSteadyLoad(shop);
  const more = (what: string, holds: () => Promise<boolean>) => until(what, WAIT_LIMIT_MS, holds);
  await more('jobs in the shard', async () => ((await queuedIn(shop)).redis ?? 0) >= FEW / 3);
  const victim = await masterNow();
  await victim.kill();
  const beforeKill = (await queuedIn(shop)).redis ?? 0;
  await more('its replica to be the master', async () => {
    return (await masterNow().catch(() => victim)) !== victim;
  });
  await addWorker(shop, 'redis');
  const { length } = load.acknowledged;
  await more('further payments', async () => load.acknowledged.length >= length + FEW);
  await victim.start();
  await untilAllReady(shop);
  await more('the shard to take jobs again', async () => {
    return ((await queuedIn(shop)).redis ?? 0) >= beforeKill + FEW / 3;
  });
  await load.stop();
  await more('all to be paid', async () => {
    const paid = await shop.prisma.order.count({ where: { status: 'paid' } });
    return paid === load.acknowledged.length;
  });
  await expectPaidOnce(shop, load.acknowledged);
}

test('a master of a Redis Cluster, with TLS and logins, is killed under load: its replica has all acknowledged jobs, and each order is paid once', async () => {
  const access = await makeRedisAccess();
  onTestFinished(async () => access.remove());
  const cluster = await startOwnCluster({ access });
  onTestFinished(() => cluster.remove());
  const nodes = cluster.nodes.slice(0, 3).map(({ url }) => url);
  const shop = await open({
    PAYONCE_REDIS_CA_FILE: access.caFile,
    PAYONCE_REDIS_USERNAME: access.username,
    PAYONCE_REDIS_PASSWORD: access.password,
    PAYONCE_REDIS_CLUSTER_NODES: nodes.join(','),
    PAYONCE_REDIS_WAIT_REPLICAS: '1',
    PAYONCE_QUEUE_SHARDS: '3',
  });
  await survivesTheEndOf(() => cluster.masterOf(`{${shop.role}-0}`), shop);
  const queued = await queuedIn(shop);
  for (const shard of ['redis', 'redis-1', 'redis-2']) expect(queued[shard]).toBeGreaterThan(0);
});

test('the master that Sentinels watch is killed under load: its replica has all acknowledged jobs, and each order is paid once', async () => {
  const own = await startOwnSentinels();
  onTestFinished(() => own.remove());
  const shop = await open({
    PAYONCE_REDIS_SENTINELS: own.sentinels.map(({ url }) => url).join(','),
    PAYONCE_REDIS_WAIT_REPLICAS: '1',
  });
  await survivesTheEndOf(() => own.master(), shop);
});
