import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { systemClock } from '@payonce/core/runtime/clock';
import { registerOrders } from '@payonce/orders/registration/register';
import { createPrisma } from '@payonce/prisma/client';
import { ensureSimulatedChannels, type SimulatedSigners } from '@payonce/testkit/channels/channels';
import { declareEndpoint } from '@payonce/testkit/channels/endpoint';
import { until } from '@payonce/testkit/machine/poll';
import { startReceiver } from '@payonce/testkit/receiving/receiver';
import { ensureFaketime, wrongClock } from '@payonce/tooling/faketime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silent } from '../silent.js';
import { type App, deployment } from './deployed.js';

/**
 * Workers whose clocks are a year ahead and a day behind, under load, beside one with a correct
 * clock.
 */

const FULL = process.env.PAYONCE_TEST_FULL === '1';
const PAYMENTS = FULL ? 1_000 : 60;
const DAY_S = 86_400;
const LIMIT_MS = 60_000;
/** Longer than a lease: the remaining worker sends the deliveries of the killed ones. */
const HAND_OVER_MS = 60_000;

const { folder, startRedis, startDatabase, startApp, undo, end } = deployment();
let prisma: ReturnType<typeof createPrisma>;
let signers: SimulatedSigners;
let gateway: App;
let workers: Record<'right' | 'ahead' | 'behind', App>;
/** For the merchant's system; while true, its answers wait. */
let holds = true;
const held: ServerResponse[] = [];

beforeAll(async () => {
  const library = await ensureFaketime();
  if (library === null) throw new Error('no libfaketime: apt-get install faketime');
  const merchant = await startReceiver((_request, response) => {
    if (holds) held.push(response);
    else response.writeHead(204).end();
  });
  undo.push(merchant.close);
  ({ signers } = await ensureSimulatedChannels(folder));
  const declared = declareEndpoint(folder, { name: 'shop', url: `${merchant.url}/` });
  const [redisUrl, databaseUrl] = [await startRedis(), await startDatabase()];
  prisma = createPrisma({ url: databaseUrl, poolSize: 2, applicationName: 'clock-test' });
  undo.push(() => prisma.$disconnect());
  const env = { REDIS_URL: redisUrl, PAYONCE_LOG_LEVEL: 'warn' };
  gateway = await startApp('gateway', env);
  const start = (clock: Record<string, string>) =>
    startApp('worker', {
      ...env,
      DATABASE_URL: databaseUrl,
      PAYONCE_CHANNELS_FILE: declared.channelsFile,
      PAYONCE_ENCRYPTION_KEY: ENCRYPTION_KEY,
      PAYONCE_WEBHOOK_ALLOW_NETWORKS: '127.0.0.1/32',
      // Retention begins a round every forty of these: several in this test.
      PAYONCE_WORKER_RELEASE_INTERVAL_MS: '100',
      PAYONCE_WORKER_CONCURRENCY: '20',
      ...clock,
    });
  const ahead = await start(wrongClock(library, 365 * DAY_S));
  const behind = await start(wrongClock(library, -DAY_S));
  workers = { ahead, behind, right: await start({}) };
});
afterAll(end);

const ENCRYPTION_KEY = randomBytes(32).toString('base64');

async function notify(orderNumber: string): Promise<void> {
  const trade = `T${orderNumber}`;
  const payment = { orderNumber, trade, amount: 8_888n, paidAt: new Date() };
  const signed = signers['sim-alipay'].payment(payment);
  const sent = await gateway.post('alipay', 'sim-alipay', signed);
  expect(sent.acknowledged).toBe(true);
}

function answerAll(): void {
  holds = false;
  for (const response of held.splice(0)) response.writeHead(204).end();
}

const applied = async ({ privately }: App) => {
  const { text } = await privately('/metrics');
  return Number(/^payonce_events_total\{outcome="applied".*\} (\d+)$/m.exec(text)?.[1] ?? 0);
};

test('each reports it and is ready; the gauge shows the difference', async () => {
  for (const [name, words] of [
    ['ahead', `${365 * DAY_S} s ahead of the database: no schedule runs`],
    ['behind', `${DAY_S} s behind the database: no schedule runs`],
  ] as const) {
    const { ok, text } = await workers[name].privately('/readyz');
    expect({ ok, clock: JSON.parse(text).parts.clock }).toEqual({ ok: true, clock: words });
  }
  expect((await workers.right.privately('/readyz')).text).not.toContain('clock');
  const { text } = await workers.behind.privately('/metrics');
  const gauge = /^payonce_database_clock_difference_seconds\{.*\} (\S+)$/m.exec(text)?.[1];
  expect(Math.abs(Number(gauge) + DAY_S)).toBeLessThan(1);
});

test('under load no evidence is erased, every time is the database’s, and nothing is stuck once they are gone', async () => {
  const startedAt = Date.now();
  const numbers = Array.from({ length: PAYMENTS }, (_, n) => `C${n}`);
  await registerOrders(
    { prisma, log: silent, clock: systemClock },
    numbers.map((number) => ({ merchant: 'demo', number, amount: 8_888n, currency: 'CNY' })),
  );
  for (let at = 0; at < PAYMENTS; at += 10) {
    await Promise.all(numbers.slice(at, at + 10).map(notify));
  }
  await until('all to be paid', LIMIT_MS, async () => {
    return (await prisma.order.count({ where: { status: 'paid' } })) === PAYMENTS;
  });
  const shares = Object.fromEntries(
    await Promise.all(
      Object.entries(workers).map(async ([name, app]) => [name, await applied(app)] as const),
    ),
  );
  await until('deliveries in hand', LIMIT_MS, () => held.length > 0);
  // In the full size they are killed during deliveries: the remaining worker waits for the ends of
  // their leases.
  if (!FULL) {
    answerAll();
    await until('results to be recorded', LIMIT_MS, async () => {
      return (await prisma.delivery.count({ where: { leaseUntil: { not: null } } })) === 0;
    });
  }
  for (const name of ['ahead', 'behind'] as const) workers[name].child.child.kill('SIGKILL');
  const [latest] = await prisma.$queryRaw<{ aheadSeconds: number; behindSeconds: number }[]>`
    SELECT max(extract(epoch FROM at - now()))::float8 AS "aheadSeconds",
      max(extract(epoch FROM now() - at))::float8 AS "behindSeconds"
    FROM (SELECT created_at AS at FROM notifications
      UNION ALL SELECT decided_at FROM notification_events
      UNION ALL SELECT created_at FROM facts
      UNION ALL SELECT created_at FROM order_events
      UNION ALL SELECT updated_at FROM orders
      UNION ALL SELECT next_attempt_at FROM deliveries
      UNION ALL SELECT lease_until FROM deliveries) AS times WHERE at IS NOT NULL`;
  // A lease ends half a minute from its beginning; a first retry comes after five seconds.
  expect(latest?.aheadSeconds).toBeLessThan(40);
  expect(latest?.behindSeconds).toBeLessThan((Date.now() - startedAt) / 1_000 + 5);

  answerAll();
  const undelivered = { state: { not: 'delivered' } };
  await until('every delivery', HAND_OVER_MS, async () => {
    const made = await prisma.delivery.count();
    return made >= PAYMENTS && (await prisma.delivery.count({ where: undelivered })) === 0;
  });
  const evidence = await prisma.notification.count({ where: { purgedAt: null } });
  console.log({ PAYMENTS, shares, evidence, seconds: (Date.now() - startedAt) / 1_000, ...latest });
  expect(evidence).toBe(PAYMENTS);
});
