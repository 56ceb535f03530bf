import { inTransaction } from '@payonce/orders/database/transaction';
import { createPrisma } from '@payonce/prisma/client';
import { until } from '@payonce/testkit/machine/poll';
import { openSession } from '@payonce/testkit/stores/sessions';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { startConsole, type TestConsole } from '../apps/console/test/support.js';
import { type OwnPgBouncer, startOwnPgBouncer } from './own-pgbouncer.js';
import { addWorker, closeShop, openShop, type Shop } from './shop.js';
import { silent } from './silent.js';

/** Fewer connections than any of the processes that share them has in its pool. */
const POOL_SIZE = 3;
const PAYMENTS = 40;
const REGISTERED_AT_ONCE = 5;

let pgbouncer: OwnPgBouncer;
let shop: Shop;
let server: TestConsole;

beforeAll(async () => {
  pgbouncer = await startOwnPgBouncer(inject('postgresUrl'), POOL_SIZE);
  shop = await openShop('redis', { worker: false });
  const databaseUrl = pgbouncer.through(shop.database.url);
  server = await startConsole({ databaseUrl });
  // Small batches, so that many transactions run at once.
  const many = {
    PAYONCE_WORKER_BATCH_SIZE: '5',
    PAYONCE_WORKER_BATCHES_IN_FLIGHT: '6',
  };
  for (let count = 0; count < 2; count += 1) {
    await addWorker(shop, 'redis', { DATABASE_URL: databaseUrl, ...many });
  }
});
afterAll(async () => {
  await server.close();
  await closeShop(shop);
  await pgbouncer.remove();
});

async function registerAll(numbers: readonly string[]): Promise<void> {
  const left = [...numbers];
  const one = async () => {
    for (let number = left.pop(); number; number = left.pop()) await register(number);
  };
  await Promise.all(Array.from({ length: REGISTERED_AT_ONCE }, one));
}

/** Like a merchant's system: retries after 503. */
async function register(number: string): Promise<void> {
  await until(`${number} to be registered`, 20_000, async () => {
    const { statusCode } = await server.app.inject({
      method: 'POST',
      url: '/v1/orders',
      headers: { authorization: `Bearer ${server.apiKey}` },
      payload: { merchant: 'demo', orderNumber: number, amount: '8888', currency: 'CNY' },
    });
    return statusCode === 201 || statusCode === 200;
  });
}

test('through a PgBouncer in transaction mode two workers and a console share three connections, and each order is paid once', async () => {
  const numbers = Array.from({ length: PAYMENTS }, (_, index) => `B${index}`);
  await registerAll(numbers);
  const replies = await Promise.all(
    numbers.map((number) => {
      const trade = { orderNumber: number, trade: `T${number}`, amount: 8_888n };
      const request = shop.signers['sim-alipay'].payment({ ...trade, paidAt: new Date() });
      return shop.post('sim-alipay', request);
    }),
  );
  expect(replies.filter(({ acknowledged }) => acknowledged)).toHaveLength(PAYMENTS);
  await until('all to be paid', 30_000, async () => {
    return (await shop.prisma.order.count({ where: { status: 'paid' } })) === PAYMENTS;
  });
  expect(await shop.prisma.orderEvent.count({ where: { type: 'order.paid' } })).toBe(PAYMENTS);
  expect(await shop.prisma.deadLetter.count()).toBe(0);

  const { url } = shop.database;
  expect(await pgbouncer.show('clients', url)).toBeGreaterThan(POOL_SIZE);
  expect(await pgbouncer.show('servers', url)).toBeLessThanOrEqual(POOL_SIZE);
}, 60_000);

test('through a PgBouncer each session uses UTC, also on the connection of a client that does not', async () => {
  const url = pgbouncer.through(shop.database.url);
  const other = await openSession(url);
  onTestFinished(() => other.end());
  const prisma = createPrisma({ url, poolSize: 1, applicationName: 'test' });
  onTestFinished(() => prisma.$disconnect());
  await other.query("SET timezone = 'Asia/Shanghai'");
  const zone = "SELECT current_setting('timezone') AS zone";
  for (let turn = 0; turn < 5; turn += 1) {
    expect((await other.query(zone)).rows).toEqual([{ zone: 'Asia/Shanghai' }]);
    expect(await prisma.$queryRawUnsafe(zone)).toEqual([{ zone: 'UTC' }]);
  }
});

test('through a PgBouncer PostgreSQL ends a statement that waits for a lock, in a transaction and outside', async () => {
  const own = await startOwnPgBouncer(inject('postgresUrl'), 4);
  onTestFinished(() => own.remove());
  const direct = await openSession(shop.database.url);
  onTestFinished(() => direct.end());
  const prisma = createPrisma({
    url: own.through(shop.database.url),
    poolSize: 4,
    applicationName: 'waits',
  });
  onTestFinished(() => prisma.$disconnect());
  await direct.query('BEGIN; LOCK TABLE orders');
  const start = performance.now();
  const asked = [
    prisma.order.findMany(),
    prisma.$queryRaw`SELECT count(*) FROM orders`,
    prisma.$transaction(async (tx) => tx.$queryRaw`SELECT count(*) FROM orders`),
    inTransaction({ prisma, log: silent }, (tx) => tx.$queryRaw`SELECT count(*) FROM orders`),
  ];
  const answers = await Promise.allSettled(asked);
  expect(answers.map(({ status }) => status)).toEqual(asked.map(() => 'rejected'));
  expect(performance.now() - start).toBeLessThan(6_000);
  // On the server, not only here.
  const waiting = await direct.query(
    `SELECT query FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  expect(waiting.rows).toEqual([]);
  await direct.query('ROLLBACK');
  // No setting leaked to the next client with the server's connection.
  const other = await openSession(own.through(shop.database.url));
  onTestFinished(() => other.end());
  for (let turn = 0; turn < 5; turn += 1) {
    const { rows } = await other.query('SHOW statement_timeout');
    expect(rows).toEqual([{ statement_timeout: '0' }]);
  }
}, 60_000);
