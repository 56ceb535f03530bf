import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@payonce/core/runtime/clock';
import { registerOrder } from '@payonce/orders/registration/register';
import { createPrisma } from '@payonce/prisma/client';
import { migrate } from '@payonce/prisma/migrate';
import { until } from '@payonce/testkit/machine/poll';
import { freshDatabase } from '@payonce/testkit/stores/database';
import { type OwnPostgres, startOwnPostgres } from '@payonce/testkit/stores/own-postgres';
import { query } from '@payonce/testkit/stores/sessions';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { addWorker, closeShop, DUE, openShop, type Shop, type ShopWorker } from './shop.js';
import { silent } from './silent.js';
import { untilAllReady } from './stores-of.js';

/**
 * A worker whose database loses commits, is read-only or is not migrated. It reports that, takes no
 * job, and takes jobs soon after the repair.
 */

const LIMIT_MS = 15_000;
/** The watch checks once a second while there is a fault; a job is applied in milliseconds. */
const SOON_MS = 3_000;

let postgres: OwnPostgres;

beforeAll(async () => {
  postgres = await startOwnPostgres();
});
afterAll(() => postgres.remove());

async function open(queue: string, own = {}): Promise<Shop> {
  const shop = await openShop(queue, { worker: false, own });
  onTestFinished(() => closeShop(shop));
  await untilAllReady(shop);
  return shop;
}

const onOwnPostgres = () =>
  open('redis', {
    redis: { REDIS_URL: inject('redisUrl') },
    postgresUrl: postgres.adminUrl,
    templateDatabase: null,
  });

async function asAdmin(...statements: string[]): Promise<void> {
  await query(postgres.adminUrl, ...statements);
}

let sent = 0;
async function pay({ post, signers }: Shop): Promise<string> {
  sent += 1;
  const orderNumber = `F${sent}`;
  const paid = { orderNumber, trade: `T${sent}`, amount: DUE, paidAt: new Date() };
  const { status } = await post('sim-alipay', signers['sim-alipay'].payment(paid));
  expect(status).toBe(200);
  return orderNumber;
}

async function databaseOf({ get }: ShopWorker) {
  const answer = await get('/readyz');
  const { parts } = (await answer.json()) as { parts: { database: string } };
  return { status: answer.status, database: parts.database };
}

const says = (worker: ShopWorker, fault: string) =>
  until(`the worker to say "${fault}"`, LIMIT_MS, async () => {
    const { status, database } = await databaseOf(worker);
    return status === 503 && database.includes(fault);
  });

/** Waiting and active jobs, by the worker's metrics. */
async function jobsOf({ get }: ShopWorker): Promise<Record<string, number>> {
  const text = await (await get('/metrics')).text();
  const lines = text.matchAll(/^payonce_queue_jobs\{.*state="(\w+)".*\} (\d+)$/gm);
  const sums: Record<string, number> = {};
  for (const [, state = '', jobs] of lines) sums[state] = (sums[state] ?? 0) + Number(jobs);
  return sums;
}

/**
 * Through further checks of the watch. A worker that waits for a job gets the next one, and puts it
 * back.
 */
async function isTakenBy(worker: ShopWorker): Promise<boolean> {
  await until('the job to wait', LIMIT_MS, async () => {
    const { wait, active } = await jobsOf(worker);
    return wait === 1 && active === 0;
  });
  for (let look = 0; look < 8; look += 1) {
    expect((await databaseOf(worker)).status).toBe(503);
    const { wait, delayed, failed } = await jobsOf(worker);
    if (wait !== 1 || delayed !== 0 || failed !== 0) return true;
  }
  return false;
}

const isPaid = (prisma: Shop['prisma'], number: string) =>
  until(`${number} to be paid`, SOON_MS, async () => {
    const order = await prisma.order.findFirst({ where: { number, status: 'paid' } });
    return order !== null;
  });

test.each(['redis', 'postgres'])(
  'on a database that is not migrated no job of the queue in %s is taken until it is',
  async (queue) => {
    const shop = await open(queue);
    const database = await freshDatabase({
      postgresUrl: inject('postgresUrl'),
      templateDatabase: null,
    });
    onTestFinished(database.drop);
    const prisma = createPrisma({ url: database.url, poolSize: 1, applicationName: 'test' });
    onTestFinished(() => prisma.$disconnect());
    const number = await pay(shop);
    const worker = await addWorker(shop, queue, { DATABASE_URL: database.url });
    await says(worker, 'the schema is not migrated: run');
    expect(await isTakenBy(worker)).toBe(false);
    expect(await (await worker.get('/livez')).text()).toBe('ok\n');
    await migrate({ databaseUrl: database.url });
    const terms = { merchant: 'demo', number, amount: DUE, currency: 'CNY' };
    await registerOrder({ prisma, log: silent, clock: systemClock }, terms);
    await isPaid(prisma, number);
    expect(await databaseOf(worker)).toEqual({ status: 200, database: 'ready' });
    // The connections close before the database is removed.
    await shop.lifecycle.stop();
  },
);

test.each(['fsync', 'full_page_writes'])(
  'while %s is off no job is taken, also by a worker that was waiting for one',
  async (setting) => {
    const shop = await onOwnPostgres();
    const worker = await addWorker(shop, 'redis');
    const first = await pay(shop);
    await shop.register(first);
    await isPaid(shop.prisma, first);
    await asAdmin(`ALTER SYSTEM SET ${setting} = off`, 'SELECT pg_reload_conf()');
    onTestFinished(() => asAdmin(`ALTER SYSTEM RESET ${setting}`, 'SELECT pg_reload_conf()'));
    await says(worker, `${setting} is off`);
    const number = await pay(shop);
    await shop.register(number);
    expect(await isTakenBy(worker)).toBe(false);
    await asAdmin(`ALTER SYSTEM RESET ${setting}`, 'SELECT pg_reload_conf()');
    await isPaid(shop.prisma, number);
  },
);

test('a managed service is trusted: jobs are taken although fsync appears to be off', async () => {
  const shop = await onOwnPostgres();
  await asAdmin('ALTER SYSTEM SET fsync = off', 'SELECT pg_reload_conf()');
  onTestFinished(() => asAdmin('ALTER SYSTEM RESET fsync', 'SELECT pg_reload_conf()'));
  await addWorker(shop, 'redis', { PAYONCE_DATABASE_DURABILITY: 'managed' });
  const number = await pay(shop);
  await shop.register(number);
  await isPaid(shop.prisma, number);
});

test('a database that returns as a standby gets no job until it is promoted', async () => {
  const shop = await onOwnPostgres();
  const worker = await addWorker(shop, 'redis');
  await until('the worker to be ready', LIMIT_MS, async () => (await worker.get('/readyz')).ok);
  const number = `F${sent + 1}`;
  await shop.register(number);
  await postgres.kill();
  writeFileSync(join(postgres.data, 'standby.signal'), '');
  await postgres.start();
  await says(worker, 'the database is a standby (in recovery)');
  await pay(shop);
  expect(await isTakenBy(worker)).toBe(false);
  await asAdmin('SELECT pg_promote()');
  await isPaid(shop.prisma, number);
});
