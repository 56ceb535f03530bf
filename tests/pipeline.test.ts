import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@payonce/core/clock';
import { createLifecycle, type Lifecycle } from '@payonce/core/lifecycle';
import { createLog } from '@payonce/core/log';
import { registerOrder } from '@payonce/core/orders/register';
import { createPrisma, type PrismaClient } from '@payonce/prisma/client';
import { migrate } from '@payonce/prisma/migrate';
import { ensureSimulatedChannels, type SimulatedSigners } from '@payonce/testkit/channels';
import { type FreshDatabase, freshDatabase } from '@payonce/testkit/database';
import type { SignedRequest } from '@payonce/testkit/request';
import { until } from '@payonce/tooling/process';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { readConfig as readGatewayConfig } from '../apps/gateway/src/config.js';
import { startGateway } from '../apps/gateway/src/gateway.js';
import { readConfig as readWorkerConfig } from '../apps/worker/src/config.js';
import { startProcess as startWorker } from '../apps/worker/src/process.js';

/** Gateway and worker on a database, a role and a queue prefix of their own; requests over real HTTP. */
interface Shop {
  readonly prisma: PrismaClient;
  readonly signers: SimulatedSigners;
  readonly database: FreshDatabase;
  readonly lifecycle: Lifecycle;
  readonly folder: string;
  readonly role: string;
  post(provider: string, channel: string, request: SignedRequest): Promise<Response>;
}

const DUE = 8_888n;
const ORDER = { merchant: 'demo', number: 'ORDER1', amount: DUE, currency: 'CNY' };
const PAYMENT = { orderNumber: 'ORDER1', trade: 'TRADE1', amount: DUE, paidAt: new Date() };
const CHANNELS = [
  { provider: 'alipay', channel: 'sim-alipay', status: 200, accepted: 'success' },
  { provider: 'wechatpay', channel: 'sim-wechat', status: 204, accepted: '' },
  {
    provider: 'wechatpay-v2',
    channel: 'sim-wechat-v2',
    status: 200,
    accepted:
      '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>',
  },
] as const;

describe.each(['redis', 'postgres'] as const)(
  'from the socket to the order, queue in %s',
  (queue) => {
    let shop: Shop;

    beforeEach(async () => {
      shop = await openShop(queue);
      await registerOrder({ prisma: shop.prisma, clock: systemClock }, ORDER);
    });
    afterEach(() => closeShop(shop));

    test.each(CHANNELS)(
      'fifty posts of one payment of $provider at once are all acknowledged and applied once',
      async ({ provider, channel, status, accepted }) => {
        const payment = shop.signers[channel].payment(PAYMENT);
        const replies = await Promise.all(
          Array.from({ length: 50 }, async () => {
            const reply = await shop.post(provider, channel, payment);
            return { status: reply.status, body: await reply.text() };
          }),
        );
        expect(replies).toEqual(Array.from({ length: 50 }, () => ({ status, body: accepted })));
        await orderIs(shop, 'paid');
        expect(await shop.prisma.notification.count()).toBe(1);
        expect(await shop.prisma.fact.count({ where: { kind: 'paid' } })).toBe(1);
        expect(await shop.prisma.orderEvent.findMany({ select: { type: true } })).toEqual([
          { type: 'order.paid' },
        ]);
      },
    );

    test('a payment that two WeChat protocols tell is one payment', async () => {
      await shop.post(
        'wechatpay-v2',
        'sim-wechat-v2',
        shop.signers['sim-wechat-v2'].payment(PAYMENT),
      );
      await orderIs(shop, 'paid');
      await shop.post('wechatpay', 'sim-wechat', shop.signers['sim-wechat'].payment(PAYMENT));
      await until('both to be settled', 10_000, async () => (await outcomes(shop)).length === 2);
      expect(await outcomes(shop)).toEqual(['applied', 'duplicate']);
      expect((await shop.prisma.order.findFirstOrThrow()).attention).toEqual([]);
    });

    test('what was acknowledged while the worker was away is applied when it comes', async () => {
      const away = await openShop(queue, { worker: false });
      try {
        await registerOrder({ prisma: away.prisma, clock: systemClock }, ORDER);
        const reply = await away.post(
          'alipay',
          'sim-alipay',
          away.signers['sim-alipay'].payment(PAYMENT),
        );
        expect(await reply.text()).toBe('success');
        expect(await away.prisma.notification.count()).toBe(0);
        await addWorker(away, queue);
        await orderIs(away, 'paid');
      } finally {
        await closeShop(away);
      }
    });

    test('a forged payment is refused, and leaves no trace behind the gateway', async () => {
      const { signers } = shop;
      const forged = signers['sim-alipay'].forge(signers['sim-alipay'].payment(PAYMENT));
      const reply = await shop.post('alipay', 'sim-alipay', forged);
      expect([reply.status, await reply.text()]).toEqual([401, 'fail']);
      const genuine = { ...PAYMENT, orderNumber: 'ORDER2', trade: 'TRADE2' };
      await shop.post('alipay', 'sim-alipay', signers['sim-alipay'].payment(genuine));
      await until(
        'the genuine one to be settled',
        10_000,
        async () => (await outcomes(shop)).length > 0,
      );
      expect(await outcomes(shop)).toEqual(['held']);
      expect((await shop.prisma.order.findFirstOrThrow()).status).toBe('pending');
    });
  },
);

async function orderIs({ prisma }: Shop, status: string): Promise<void> {
  const read = async () => (await prisma.order.findFirstOrThrow()).status;
  await until(`the order to be ${status}`, 15_000, async () => (await read()) === status);
}

async function outcomes({ prisma }: Shop): Promise<string[]> {
  const events = await prisma.notificationEvent.findMany({ orderBy: { id: 'asc' } });
  return events.map(({ outcome }) => outcome);
}

function environment(shop: Pick<Shop, 'database' | 'folder' | 'role'>, queue: string) {
  const own = new URL(shop.database.url);
  own.username = shop.role;
  own.password = 'of-this-test-alone';
  return {
    PAYONCE_QUEUE: queue,
    REDIS_URL: inject('redisUrl'),
    PAYONCE_QUEUE_DATABASE_URL: own.href,
    PAYONCE_QUEUE_PREFIX: shop.role,
    PAYONCE_CHANNELS_FILE: join(shop.folder, 'channels.yaml'),
    PAYONCE_PORT: '0',
    PAYONCE_PRIVATE_PORT: '0',
  };
}

async function openShop(queue: string, { worker = true } = {}): Promise<Shop> {
  const database = await freshDatabase({
    postgresUrl: inject('postgresUrl'),
    templateDatabase: inject('templateDatabase'),
  });
  const folder = mkdtempSync(join(tmpdir(), 'payonce-pipeline-'));
  const role = `${database.name}_queue`;
  const env = environment({ database, folder, role }, queue);
  await migrate({ databaseUrl: database.url, queueDatabaseUrl: env.PAYONCE_QUEUE_DATABASE_URL });
  const { signers } = await ensureSimulatedChannels(folder);
  const log = createLog({ name: 'pipeline', level: 'silent' });
  const lifecycle = createLifecycle(log);
  const { port, privatePort } = await startGateway(readGatewayConfig(env), lifecycle, log);
  await until('the gateway to be ready', 10_000, async () => {
    return (await fetch(`http://127.0.0.1:${privatePort}/readyz`)).ok;
  });
  const shop: Shop = {
    prisma: createPrisma({ url: database.url, poolSize: 2, applicationName: 'pipeline-test' }),
    signers,
    database,
    lifecycle,
    folder,
    role,
    post: (provider, channel, { body, headers }) =>
      fetch(`http://127.0.0.1:${port}/notify/${provider}/${channel}`, {
        method: 'POST',
        body: new Uint8Array(body),
        headers,
      }),
  };
  if (worker) await addWorker(shop, queue);
  return shop;
}

async function addWorker(shop: Shop, queue: string): Promise<void> {
  const env = { ...environment(shop, queue), DATABASE_URL: shop.database.url };
  const log = createLog({ name: 'pipeline', level: 'silent' });
  await startWorker(readWorkerConfig(env), shop.lifecycle, log);
}

async function closeShop(shop: Shop): Promise<void> {
  await shop.lifecycle.stop();
  await shop.prisma.$disconnect();
  await shop.database.drop();
  rmSync(shop.folder, { recursive: true, force: true });
}
