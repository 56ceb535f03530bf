import { readFileSync } from 'node:fs';
import { openPositionMemory } from '@payonce/core/queue/position-memory';
import { readQueueSettings } from '@payonce/core/queue/queue-settings';
import { systemClock } from '@payonce/core/runtime/clock';
import { registerOrder } from '@payonce/orders/registration/register';
import { createPrisma } from '@payonce/prisma/client';
import { migrate } from '@payonce/prisma/migrate';
import { ensureSimulatedChannels } from '@payonce/testkit/channels/channels';
import { until } from '@payonce/testkit/machine/poll';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import { freshDatabase } from '@payonce/testkit/stores/database';
import { startOwnPostgres } from '@payonce/testkit/stores/own-postgres';
import { query, urlOf } from '@payonce/testkit/stores/sessions';
import { afterAll, expect, test } from 'vitest';
import { silent } from '../silent.js';
import { deployment } from './deployed.js';

/** A backup is restored, and nobody says so: what was acknowledged since must be there again. */

const DUE = 8_888n;
const LIMIT_MS = 60_000;

const { folder, log, startRedis, startApp, undo, end } = deployment();
afterAll(end);

async function start() {
  const { signers } = await ensureSimulatedChannels(folder);
  const postgres = await startOwnPostgres();
  undo.push(() => postgres.remove());
  const { url } = await freshDatabase({ postgresUrl: postgres.adminUrl, templateDatabase: null });
  const queueUrl = urlOf(url, 'payonce_queue', ['payonce_queue', 'of-this-test-alone']);
  await migrate({ databaseUrl: url, queueDatabaseUrl: queueUrl });
  const env = { REDIS_URL: await startRedis(), PAYONCE_QUEUE_DATABASE_URL: queueUrl };
  const gateway = await startApp('gateway', env);
  await startApp('worker', { ...env, DATABASE_URL: url });
  const prisma = createPrisma({ url, poolSize: 2, applicationName: 'test' });
  undo.push(() => prisma.$disconnect());
  const signer = signers['sim-alipay'];
  const send = async (signed: SignedRequest) => {
    expect((await gateway.post('alipay', 'sim-alipay', signed)).acknowledged).toBe(true);
  };
  const memory = openPositionMemory(readQueueSettings(env));
  undo.push(() => memory?.close());
  const orderOf = (number: string) => prisma.order.findFirst({ where: { number } });
  return {
    postgres,
    prisma,
    register: async (number: string) => {
      const terms = { merchant: 'demo', number, amount: DUE, currency: 'CNY' };
      await registerOrder({ prisma, log: silent, clock: systemClock }, terms);
    },
    pay: (number: string) =>
      send(
        signer.payment({
          orderNumber: number,
          trade: `T${number}`,
          amount: DUE,
          paidAt: new Date(),
        }),
      ),
    refund: (number: string, refundId: string, amount: bigint, total: bigint) =>
      send(
        signer.refund({
          orderNumber: number,
          trade: `T${number}`,
          amount: DUE,
          refundId,
          refundAmount: amount,
          refundedTotal: total,
          refundedAt: new Date(),
          full: false,
        }),
      ),
    untilRefunded: (number: string, total: bigint) =>
      until(`${number} to have ${total} refunded`, LIMIT_MS, async () => {
        const order = await orderOf(number).catch(() => null);
        return order !== null && order.paidAmount === DUE && order.refundedAmount === total;
      }),
    /** What is on the disk now has been seen by the worker, and is in Redis. */
    async untilRemembered() {
      const [now] = await query<{ wal: string }>(
        url,
        `SELECT (pg_current_wal_flush_lsn() - '0/0')::text AS wal`,
      );
      await until('the position to be remembered', LIMIT_MS, async () => {
        const remembered = await memory?.read();
        return remembered ? BigInt(remembered.wal) >= BigInt(now?.wal ?? 0) : false;
      });
    },
    /** Its order events, the oldest first. */
    eventsOf: async (number: string) => {
      const events = await prisma.orderEvent.findMany({
        where: { order: { number } },
        orderBy: { id: 'asc' },
      });
      return events.map(({ type, version, payload }) => ({
        type,
        version: version ?? 0,
        replayed: (payload as { replayed?: boolean }).replayed === true,
      }));
    },
  };
}

test('a restored backup is found, acknowledged payments are applied again, and versions go on above the old ones', async () => {
  const { postgres, prisma, register, pay, refund, untilRefunded, untilRemembered, eventsOf } =
    await start();
  await register('before');
  await register('both');
  await pay('before');
  await untilRefunded('before', 0n);
  const restore = await postgres.backUp();

  await pay('both');
  await untilRefunded('both', 0n);
  await refund('both', 'R1', 1_000n, 1_000n);
  await refund('both', 'R2', 500n, 1_500n);
  await untilRefunded('both', 1_500n);
  await register('after');
  await pay('after');
  await untilRefunded('after', 0n);
  const given = Math.max(...(await eventsOf('both')).map(({ version }) => version));
  await untilRemembered();

  await restore();
  await untilRefunded('both', 1_500n);

  const again = await eventsOf('both');
  expect(again.map(({ type, replayed }) => ({ type, replayed }))).toEqual([
    { type: 'order.paid', replayed: true },
    { type: 'order.partially_refunded', replayed: true },
    { type: 'order.partially_refunded', replayed: true },
  ]);
  expect(Math.min(...again.map(({ version }) => version))).toBeGreaterThan(given);
  expect(readFileSync(log('worker'), 'utf8')).toContain('"msg":"database.rewound"');

  // Registered after the backup: it is missing, and comes right when it is registered again.
  const missing = () =>
    prisma.notificationEvent.findMany({ where: { outcome: 'held', holdReason: 'unknown_order' } });
  expect((await missing()).map(({ orderNumber }) => orderNumber)).toEqual(['after']);
  await register('after');
  await untilRefunded('after', 0n);
  expect(await eventsOf('after')).toMatchObject([{ type: 'order.paid', replayed: true }]);

  await refund('both', 'R3', 100n, 1_600n);
  await untilRefunded('both', 1_600n);
  const last = (await eventsOf('both')).at(-1);
  expect(last).toMatchObject({ type: 'order.partially_refunded', replayed: false });
  expect(await prisma.rewind.findMany()).toMatchObject([
    { reason: expect.stringContaining('its log ends'), replayedAt: expect.any(Date) },
  ]);
}, 180_000);
