import { eventually } from '@payonce/testkit/machine/poll';
import { type OwnRedis, startOwnRedis } from '@payonce/testkit/stores/redis-server';
import { holdLocks } from '@payonce/testkit/stores/sessions';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { openTestQueue, openTestQueueOn, type TestQueue } from './queues.js';
import {
  openTestDatabase,
  startTestWorker,
  type TestDatabase,
  type TestWorker,
} from './running.js';
import { makeShop } from './shop.js';

/** One worker, and a queue in each store: jobs in either are applied, whichever store is up. */

const shop = makeShop();
let server: OwnRedis;
let redis: TestQueue;
let postgres: TestQueue;
let database: TestDatabase;

beforeEach(async () => {
  server = await startOwnRedis();
  onTestFinished(server.remove);
  [redis, postgres, database] = await Promise.all([
    openTestQueueOn(server),
    openTestQueue('postgres'),
    openTestDatabase(),
  ]);
});

const start = (options: { concurrency?: number; stuckLimitMs?: number } = {}) =>
  startTestWorker({ queue: redis, standby: postgres, database, shop, ...options });

async function register(...numbers: string[]): Promise<void> {
  for (const number of numbers) await database.register(number);
}

const jobOf = (orderNumber: string) => shop.jobFor(shop.payment({ orderNumber }).body);
const untilPaid = (number: string) =>
  eventually(async () => (await database.statusOf(number)) === 'paid');

test('jobs in either store are applied; a job in both, once', async () => {
  await register('A1', 'A2', 'A3');
  const both = jobOf('A3');
  const ids = [await redis.send(jobOf('A1')), await redis.send(both)];
  const others = [await postgres.send(jobOf('A2')), await postgres.send(both)];
  await start();
  for (const id of ids) await eventually(async () => (await redis.stateOf(id)) === 'completed');
  for (const id of others)
    await eventually(async () => (await postgres.stateOf(id)) === 'completed');
  for (const number of ['A1', 'A2', 'A3']) {
    expect(await database.order(number)).toMatchObject({
      status: 'paid',
      paidAmount: 8_888n,
      orderEvents: [{ type: 'order.paid' }],
    });
  }
  const notifications = await database.prisma.notification.findMany({ orderBy: { copies: 'asc' } });
  expect(notifications.map(({ copies }) => copies)).toEqual([0, 0, 1]);
});

test('a Redis that was down at boot delays nothing, and is consumed once it is up', async () => {
  await register('B1', 'B2');
  await redis.send(jobOf('B1'));
  await server.kill();
  const worker = await start();
  await postgres.send(jobOf('B2'));
  await untilPaid('B2');
  expect(await database.statusOf('B1')).toBe('pending');
  const ready = await worker.get('/readyz');
  expect(ready.status).toBe(200);
  expect(await ready.json()).toMatchObject({ parts: { redis: 'down', postgres: 'ready' } });
  await server.start();
  await untilPaid('B1');
});

test('a PostgreSQL queue that was down at boot delays nothing, and is consumed once it is up', async () => {
  await register('C1', 'C2');
  await postgres.send(jobOf('C1'));
  await postgres.away(true);
  const worker = await start();
  await redis.send(jobOf('C2'));
  await untilPaid('C2');
  expect(await database.statusOf('C1')).toBe('pending');
  expect((await worker.get('/readyz')).status).toBe(200);
  await postgres.away(false);
  await untilPaid('C1');
});

test('a Redis that crashes and restarts with its data: its jobs flow again, and meanwhile the others', async () => {
  await register('D1', 'D2', 'D3');
  await start();
  await redis.send(jobOf('D1'));
  await untilPaid('D1');
  await server.kill();
  await postgres.send(jobOf('D2'));
  await untilPaid('D2');
  await server.start();
  await redis.sendAgainAndAgain(jobOf('D3'));
  await untilPaid('D3');
});

test('with a store down it is alive, works on, and stops soon on request', async () => {
  await register('E1');
  const worker = await start({ stuckLimitMs: 1_000 });
  await redis.send(jobOf('E1'));
  await untilPaid('E1');
  await server.kill();
  expect((await worker.get('/livez')).status).toBe(200);
  const before = performance.now();
  await worker.stop();
  expect(performance.now() - before).toBeLessThan(10_000);
  await server.start();
  await eventually(() =>
    redis.inside.getWaitingCount().then(
      () => true,
      () => false,
    ),
  );
});

test('a locked order is no reason for a restart, and delays no other job', async () => {
  await register('F1', 'F2');
  const worker = await start({ concurrency: 1, stuckLimitMs: 3_000 });
  const lock = `SELECT 1 FROM orders WHERE number = 'F1' FOR UPDATE`;
  const letGo = await holdLocks(database.url, lock);
  await redis.send(jobOf('F1'));
  await eventually(async () => (await redis.inside.getActiveCount()) === 1);
  await redis.send(jobOf('F2'));
  await untilPaid('F2');
  await isAliveFor(worker, 4_000);
  expect((await worker.get('/readyz')).status).toBe(200);
  await letGo();
  await untilPaid('F1');
});

test('a full Redis, which hands out no jobs, is no reason for a restart; with room they flow again', async () => {
  await register('H1', 'H2');
  const worker = await start({ stuckLimitMs: 1_000 });
  await redis.send(jobOf('H1'));
  await untilPaid('H1');
  await redis.inside.pause();
  await redis.send(jobOf('H2'));
  await server.set('maxmemory', '1');
  await redis.inside.resume().catch(() => {}); // refused, too
  await isAliveFor(worker, 3_000);
  await server.set('maxmemory', '0');
  await redis.inside.resume();
  await untilPaid('H2');
});

test('a queue that was paused by hand is no reason for a restart', async () => {
  const worker = await start({ stuckLimitMs: 1_000 });
  await eventually(async () => (await worker.get('/readyz')).status === 200);
  await postgres.inside.pause();
  const id = await postgres.send(jobOf('G1'));
  await redis.inside.pause();
  await redis.send(jobOf('G2'));
  await isAliveFor(worker, 2_500);
  expect(await redis.inside.getWaitingCount()).toBe(1);
  expect(await postgres.stateOf(id)).toBe('waiting');
});

async function isAliveFor(worker: TestWorker, ms: number): Promise<void> {
  const end = performance.now() + ms;
  await eventually(async () => {
    expect((await worker.get('/livez')).status).toBe(200);
    return performance.now() > end;
  });
}
