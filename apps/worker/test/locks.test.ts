/**
 * A lock or an outage delays only what it concerns: a worker under a steady load, with a lock of
 * another session. `PAYONCE_TEST_FULL=1` holds it as long as a forgotten session does.
 */
import { createHash } from 'node:crypto';
import { eventually } from '@payonce/testkit/machine/poll';
import { holdLocks } from '@payonce/testkit/stores/sessions';
import { beforeEach, expect, test } from 'vitest';
import { openTestQueue, type TestQueue } from './queues.js';
import {
  openTestDatabase,
  startTestWorker,
  type TestDatabase,
  type TestWorker,
} from './running.js';
import { makeShop } from './shop.js';

const full = process.env.PAYONCE_TEST_FULL === '1';
const PER_SECOND = full ? 100 : 40;
/** From the receipt of a payment to its paid order, for 99 of 100 without a lock. */
const FREE_LIMIT_MS = 3_000;
/** From the end of a lock or an outage to the last order that waited for it. */
const AFTERWARDS_LIMIT_MS = 10_000;

const shop = makeShop();
let queue: TestQueue;
let database: TestDatabase;
let worker: TestWorker;

beforeEach(async () => {
  [queue, database] = await Promise.all([openTestQueue('redis'), openTestDatabase()]);
  worker = await startTestWorker({ queue, database, shop });
  await eventually(async () => (await worker.get('/readyz')).ok);
});

/** Orders `A0` and on, all at once. */
async function registerMany(count: number): Promise<void> {
  await database.prisma.$executeRaw`
    INSERT INTO orders (merchant, number, amount, currency, created_at, updated_at)
    SELECT 'tea', 'A' || n, 8888, 'CNY', now(), now() FROM generate_series(0, ${count - 1}::int) AS n`;
}

const jobOf = (orderNumber: string, changes = {}) =>
  shop.jobFor(shop.payment({ orderNumber, ...changes }).body);

/**
 * Payments of `A0` and on, at a steady rate. @returns per order the time from the receipt of its
 * payment to its end
 */
async function payAtSteadyRate(seconds: number, beside: () => Promise<unknown> = async () => {}) {
  const sentAt = new Map<string, number>();
  const paidAfter = new Map<string, number>();
  const total = seconds * PER_SECOND;
  const start = performance.now();
  const sending: Promise<unknown>[] = [];
  const send = async () => {
    for (let n = 0; n < total; n += 1) {
      const number = `A${n}`;
      const due = start + (n * 1_000) / PER_SECOND;
      await eventually(() => performance.now() >= due);
      sentAt.set(number, performance.now());
      sending.push(queue.send(jobOf(number)));
      if (n % PER_SECOND === PER_SECOND / 2) await beside();
    }
    await Promise.all(sending);
  };
  const look = async () => {
    const left = [...sentAt.keys()].filter((number) => !paidAfter.has(number));
    const rows = await database.prisma.order.findMany({
      where: { merchant: 'tea', status: 'paid', number: { in: left } },
      select: { number: true },
    });
    const now = performance.now();
    for (const { number } of rows) paidAfter.set(number, now - (sentAt.get(number) ?? now));
    return { paid: paidAfter.size, total };
  };
  const sent = send();
  let over = false;
  void sent.finally(() => {
    over = true;
  });
  while (!over) {
    await look();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await sent;
  return { look, paidAfter };
}

function percentile(times: ReadonlyMap<string, number>, share: number): number {
  const sorted = [...times.values()].sort((a, b) => a - b);
  return Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN);
}

function tell(what: string, times: ReadonlyMap<string, number>): void {
  if (!full) return;
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => percentile(times, share));
  console.log(
    `${what}: ${times.size} payments, receipt to paid p50 ${p50} p99 ${p99} max ${max} ms`,
  );
}

async function metric(name: string): Promise<number> {
  const text = await (await worker.get('/metrics')).text();
  const values = text.split('\n').filter((row) => !row.startsWith('#'));
  const line = values.find((row) => name.split('|').every((part) => row.includes(part)));
  return Number(line?.split(' ').at(-1));
}

async function attemptsOf(jobIds: readonly string[]): Promise<number[]> {
  const jobs = await Promise.all(jobIds.map((id) => queue.inside.getJob(id)));
  // Without the attempt that succeeds.
  return jobs.map((job) => (job?.attemptsMade ?? Number.NaN) - 1);
}

/** Computed as in `number-locks.ts`. */
function numberLock(number: string): string {
  const text = ['payonce order number', '\0', 'tea', '\0', number].join('');
  const hex = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return `SELECT pg_advisory_xact_lock(${BigInt.asIntN(64, BigInt(`0x${hex}`))})`;
}

const heldSeconds = full ? 60 : 5;

test.each([
  {
    what: 'one order’s row',
    locks: [`SELECT FROM orders WHERE number = 'busy' FOR UPDATE`],
    register: true,
  },
  { what: 'one order’s number', locks: [numberLock('busy')], register: false },
])(
  'while $what is locked all others are paid in time, and the worker reports it',
  async ({ what, locks, register }) => {
    await registerMany(heldSeconds * PER_SECOND);
    if (register) await database.register('busy');
    const letGo = await holdLocks(database.url, ...locks);
    const waiting: string[] = [];
    const { look, paidAfter } = await payAtSteadyRate(heldSeconds, async () => {
      // Several notifications of it, in different batches.
      waiting.push(await queue.send(jobOf('busy', { notificationId: `busy-${waiting.length}` })));
    });
    await eventually(async () => {
      const { paid, total } = await look();
      return paid === total;
    }, FREE_LIMIT_MS);
    tell(`with ${what} locked for ${heldSeconds} s`, paidAfter);
    expect(percentile(paidAfter, 0.99)).toBeLessThan(FREE_LIMIT_MS);

    expect(await metric('payonce_wait_oldest_seconds|reason="lock"')).toBeGreaterThan(
      heldSeconds / 2,
    );
    expect(await metric('payonce_deferrals_total|reason="lock"')).toBeGreaterThan(0);
    expect(await metric('payonce_batch_oldest_seconds')).toBeLessThan(2);
    expect(await (await worker.get('/livez')).text()).toBe('ok\n');
    const ready = await worker.get('/readyz');
    expect(ready.status).toBe(200);
    expect(JSON.stringify(await ready.json())).toMatch(/jobs? waits? for a lock/);

    await letGo();
    if (!register) await database.register('busy');
    await eventually(async () => (await database.statusOf('busy')) === 'paid', AFTERWARDS_LIMIT_MS);
    await eventually(
      async () => (await attemptsOf(waiting)).every((attempts) => attempts === 0),
      AFTERWARDS_LIMIT_MS,
    );
    expect(await database.prisma.notification.count({ where: { status: 'held' } })).toBe(0);
  },
  120_000,
);

test('while a notification’s row is locked all others are paid in time', async () => {
  await registerMany(3 * PER_SECOND);
  const first = jobOf('busy', { notificationId: 'busy-1' });
  await queue.send(first);
  await eventually(async () => (await database.prisma.notification.count()) === 1);
  const letGo = await holdLocks(database.url, 'SELECT FROM notifications FOR UPDATE');
  // The same content under another ID of the queue, as a gateway from before version 2 wrote it.
  const copy = shop.formerJobFor(Buffer.from(first.data.bodyText ?? ''));
  await queue.inside.add('alipay', copy, { jobId: 'the-copy', attempts: 5 });
  const { look, paidAfter } = await payAtSteadyRate(3);
  await eventually(async () => (await look()).paid === 3 * PER_SECOND, FREE_LIMIT_MS);
  expect(percentile(paidAfter, 0.99)).toBeLessThan(FREE_LIMIT_MS);
  await letGo();
  await eventually(async () => (await queue.stateOf('the-copy')) === 'completed');
  expect(await database.prisma.notification.findFirst({ orderBy: { id: 'asc' } })).toMatchObject({
    copies: 1,
  });
}, 60_000);

test('payments that arrived while a table was locked are paid within ten seconds after the release', async () => {
  const seconds = full ? 20 : 4;
  await registerMany(seconds * PER_SECOND);
  const letGo = await holdLocks(database.url, 'LOCK TABLE facts');
  const { look, paidAfter } = await payAtSteadyRate(seconds);
  expect(await metric('payonce_wait_oldest_seconds|reason="lock"')).toBeGreaterThan(seconds / 2);
  expect(await (await worker.get('/livez')).text()).toBe('ok\n');
  await letGo();
  const released = performance.now();
  await eventually(async () => {
    const { paid, total } = await look();
    return paid === total;
  }, AFTERWARDS_LIMIT_MS);
  const afterMs = Math.round(performance.now() - released);
  if (full)
    console.log(`table locked for ${seconds} s: all ${paidAfter.size} paid ${afterMs} ms later`);
  expect(await database.prisma.deadLetter.count()).toBe(0);
}, 120_000);

test('payments that waited for a database outage begin within ten seconds, at the cost of no attempt', async () => {
  const awaySeconds = full ? 90 : 6;
  await registerMany(50);
  await database.away(true);
  const ids = await Promise.all(Array.from({ length: 50 }, (_, n) => queue.send(jobOf(`A${n}`))));
  const until = performance.now() + awaySeconds * 1_000;
  await eventually(() => performance.now() > until, awaySeconds * 2_000);
  expect(await metric('payonce_wait_oldest_seconds|reason="store"')).toBeGreaterThan(
    awaySeconds / 2,
  );
  await database.away(false);
  const back = performance.now();
  await eventually(
    async () => (await queue.inside.getCompletedCount()) === ids.length,
    AFTERWARDS_LIMIT_MS,
  );
  if (full) {
    const afterMs = Math.round(performance.now() - back);
    console.log(`database away for ${awaySeconds} s: all paid ${afterMs} ms after it was back`);
  }
  expect(await attemptsOf(ids)).toEqual(ids.map(() => 0));
  expect(await database.prisma.deadLetter.count()).toBe(0);
}, 240_000);
