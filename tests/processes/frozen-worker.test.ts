import { createPrisma, type PrismaClient } from '@payonce/prisma/client';
import { ensureSimulatedChannels, type SimulatedSigners } from '@payonce/testkit/channels/channels';
import { until } from '@payonce/testkit/machine/poll';
import { openSession } from '@payonce/testkit/stores/sessions';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, deployment } from './deployed.js';

/**
 * A worker that is frozen inside a transaction keeps its rows locked, until PostgreSQL ends that
 * after 30 s.
 */

const full = process.env.PAYONCE_TEST_FULL === '1';
const PAYMENTS = full ? 3_000 : 160;
const PER_SECOND = full ? 100 : 40;
/**
 * Notifications that need the frozen worker's rows wait for 30 s; the small size also runs on busy
 * machines.
 */
const FREE_LIMIT_MS = full ? 3_000 : 10_000;

const { folder, startRedis, startDatabase, startApp, end, undo } = deployment();
let gateway: App;
let env: Record<string, string>;
let signers: SimulatedSigners;
let prisma: PrismaClient;

beforeAll(async () => {
  ({ signers } = await ensureSimulatedChannels(folder));
  const databaseUrl = await startDatabase();
  env = { REDIS_URL: await startRedis(), DATABASE_URL: databaseUrl, PAYONCE_LOG_LEVEL: 'warn' };
  prisma = createPrisma({ url: databaseUrl, poolSize: 4, applicationName: 'frozen-test' });
  undo.push(() => prisma.$disconnect());
  gateway = await startApp('gateway', env);
});
afterAll(end);

async function register(...numbers: string[]): Promise<void> {
  await prisma.$executeRaw`
    INSERT INTO orders (merchant, number, amount, currency, created_at, updated_at)
    SELECT 'demo', number, 8888, 'CNY', now(), now() FROM unnest(${numbers}::text[]) AS number`;
}

async function pay(orderNumber: string): Promise<void> {
  const trade = { orderNumber, trade: `T${orderNumber}`, amount: 8_888n, paidAt: new Date() };
  const sent = await gateway.post('alipay', 'sim-alipay', signers['sim-alipay'].payment(trade));
  expect(sent.acknowledged).toBe(true);
}

const paidOf = async (numbers: readonly string[]) =>
  (
    await prisma.order.findMany({
      where: { number: { in: [...numbers] }, status: 'paid' },
      select: { number: true },
    })
  ).map(({ number }) => number);

/**
 * Pays an order whose trade another session is about to claim, and freezes the worker that waits
 * for that session.
 */
async function freezeInTransaction(worker: App): Promise<void> {
  const other = await openSession(env.DATABASE_URL ?? '');
  undo.push(() => other.end());
  const claim = async () => {
    await other.query('BEGIN');
    await other.query(`INSERT INTO trades (rail, trade, order_id, created_at)
      SELECT 'alipay', 'Tfrozen', id, now() FROM orders WHERE number = 'other'`);
  };
  // On another connection: inside a transaction PostgreSQL shows the sessions of its first look.
  const session = async (where: string) => {
    const rows = await prisma.$queryRawUnsafe<unknown[]>(
      `SELECT 1 FROM pg_stat_activity WHERE application_name = 'payonce-worker' AND ${where}`,
    );
    return rows.length > 0;
  };
  await claim();
  await pay('frozen');
  for (;;) {
    await until('the worker to wait', 15_000, () => session(`wait_event_type = 'Lock'`));
    process.kill(worker.child.pid, 'SIGSTOP');
    await other.query('ROLLBACK');
    await until('its statement to end', 15_000, async () => !(await session(`state = 'active'`)));
    if (await session(`state = 'idle in transaction'`)) return;
    // It stopped waiting just before it was frozen: the trade is claimed before it goes on.
    await claim();
    process.kill(worker.child.pid, 'SIGCONT');
  }
}

test('a worker frozen inside a transaction blocks only its own orders; a second worker applies the others', async () => {
  const numbers = Array.from({ length: PAYMENTS }, (_, index) => `F${index}`);
  await register('frozen', 'other', ...numbers);
  const worker = await startApp('worker', env);
  await freezeInTransaction(worker);
  await startApp('worker', env);

  const sentAt = new Map<string, number>();
  const paidAfter = new Map<string, number>();
  const look = async () => {
    const left = [...sentAt.keys()].filter((number) => !paidAfter.has(number));
    const paid = await paidOf(left);
    const now = performance.now();
    for (const number of paid) paidAfter.set(number, now - (sentAt.get(number) ?? now));
    return paidAfter.size === PAYMENTS;
  };
  const start = performance.now();
  const sending: Promise<void>[] = [];
  let next = 0;
  await until('all others to be paid', (PAYMENTS / PER_SECOND) * 1_000 + 15_000, async () => {
    for (; next < PAYMENTS && performance.now() - start >= (next * 1_000) / PER_SECOND; next += 1) {
      const number = numbers[next] ?? '';
      sentAt.set(number, performance.now());
      sending.push(pay(number));
    }
    return look();
  });
  await Promise.all(sending);
  const sorted = [...paidAfter.values()].sort((a, b) => a - b);
  const p99 = Math.round(sorted[Math.ceil(0.99 * sorted.length) - 1] ?? Number.NaN);
  if (full) console.log(`a worker frozen in a transaction: ${PAYMENTS} others, p99 ${p99} ms`);
  expect(p99).toBeLessThan(FREE_LIMIT_MS);
  if (!full) expect(await paidOf(['frozen'])).toEqual([]);

  // Whether it goes on, or PostgreSQL ends its transaction: the order is paid once.
  if (!full) process.kill(worker.child.pid, 'SIGCONT');
  await until('the frozen one to be paid', 60_000, async () => {
    return (await paidOf(['frozen'])).length === 1;
  });
  process.kill(worker.child.pid, 'SIGCONT');
  expect(await prisma.fact.count({ where: { order: { number: 'frozen' } } })).toBe(1);
  expect(await prisma.deadLetter.count()).toBe(0);
});
