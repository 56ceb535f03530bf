import { openBullQueue } from '@payonce/core/queue/bull-queue';
import { readQueueSettings } from '@payonce/core/queue/queue-settings';
import { queuesOf } from '@payonce/core/queue/shards';
import { systemClock } from '@payonce/core/runtime/clock';
import { registerOrders } from '@payonce/orders/registration/register';
import { createPrisma } from '@payonce/prisma/client';
import { migrate } from '@payonce/prisma/migrate';
import { ensureSimulatedChannels } from '@payonce/testkit/channels/channels';
import { until } from '@payonce/testkit/machine/poll';
import { freshDatabase } from '@payonce/testkit/stores/database';
import { type OwnPostgres, startOwnPostgres } from '@payonce/testkit/stores/own-postgres';
import { query } from '@payonce/testkit/stores/sessions';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silent } from '../silent.js';
import { deployment } from './deployed.js';

/** PostgreSQL is killed when every acknowledged payment is applied and no job is left. */

const PAYMENTS = process.env.PAYONCE_TEST_FULL === '1' ? 500 : 60;
const PREFIX = 'lost-commits';
const LIMIT_MS = 60_000;
const AT_ONCE = 20;

const { folder, startRedis, startApp, undo, end } = deployment();
let postgres: OwnPostgres;

beforeAll(async () => {
  postgres = await startOwnPostgres();
  undo.push(() => postgres.remove());
});
afterAll(end);

const connect = (url: string) => createPrisma({ url, poolSize: 2, applicationName: 'test' });

test(`a role that prefers synchronous_commit=off, ${PAYMENTS} payments applied, SIGKILL of PostgreSQL: none is lost`, async () => {
  const { signers } = await ensureSimulatedChannels(folder);
  const { url } = await freshDatabase({ postgresUrl: postgres.adminUrl, templateDatabase: null });
  await migrate({ databaseUrl: url });
  const numbers = Array.from({ length: PAYMENTS }, (_, n) => `L${n}`);
  const before = connect(url);
  const terms = { merchant: 'demo', amount: 8_888n, currency: 'CNY' };
  await registerOrders(
    { prisma: before, log: silent, clock: systemClock },
    numbers.map((number) => ({ ...terms, number })),
  );
  await before.$disconnect();
  // An asynchronous commit stays in memory for ten seconds, as long as the test needs.
  await query(
    postgres.adminUrl,
    'ALTER ROLE payonce_admin SET synchronous_commit = off',
    "ALTER SYSTEM SET wal_writer_delay = '10s'",
    'SELECT pg_reload_conf()',
    'CHECKPOINT',
  );

  const redisUrl = await startRedis();
  const env = { REDIS_URL: redisUrl, PAYONCE_QUEUE_PREFIX: PREFIX, PAYONCE_LOG_LEVEL: 'warn' };
  const gateway = await startApp('gateway', env);
  const notify = async (orderNumber: string) => {
    const trade = `T${orderNumber}`;
    const payment = { orderNumber, trade, amount: 8_888n, paidAt: new Date() };
    const signed = signers['sim-alipay'].payment(payment);
    const sent = await gateway.post('alipay', 'sim-alipay', signed);
    expect(sent.acknowledged).toBe(true);
  };
  for (let at = 0; at < PAYMENTS; at += AT_ONCE) {
    await Promise.all(numbers.slice(at, at + AT_ONCE).map(notify));
  }

  const queue = openBullQueue(queuesOf(readQueueSettings(env))[0]);
  undo.push(() => queue.close());
  const worker = await startApp('worker', { ...env, DATABASE_URL: url });
  await until('every job to be completed', LIMIT_MS, async () => {
    const { completed = 0 } = await queue.getJobCounts('completed');
    return completed === PAYMENTS;
  });
  await postgres.kill();
  worker.child.child.kill('SIGKILL');
  await postgres.start();

  const after = connect(url);
  const paid = await after.order.count({ where: { status: 'paid' } });
  const notifications = await after.notification.count();
  await after.$disconnect();
  const lost = PAYMENTS - paid;
  console.log(`${PAYMENTS} acknowledged, ${paid} paid after the kill, ${lost} lost`);
  expect({ lost, notifications }).toEqual({ lost: 0, notifications: PAYMENTS });
});
