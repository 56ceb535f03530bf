import { systemClock } from '@payonce/core/runtime/clock';
import { registerOrder } from '@payonce/orders/registration/register';
import { createPrisma } from '@payonce/prisma/client';
import { ensureSimulatedChannels, type SimulatedChannel } from '@payonce/testkit/channels/channels';
import { eventually, until } from '@payonce/testkit/machine/poll';
import { stop } from '@payonce/testkit/machine/process';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import { afterEach, expect, test } from 'vitest';
import { gluedCut } from '../glued-cut.js';
import { silent } from '../silent.js';
import { type App, deployment } from './deployed.js';

/**
 * Updates the previous release, built in the folder of PAYONCE_FORMER_DIR, under load while both
 * run side by side. Without that folder the test is skipped.
 */
const former = process.env.PAYONCE_FORMER_DIR;
const IS_FULL = process.env.PAYONCE_TEST_FULL === '1';
/** Payments acknowledged in each stage of the update. */
const STAGE = IS_FULL ? 500 : 40;
const SENDERS = 4;
const DUE = 8_888n;
const paidAt = new Date('2026-11-01T02:00:00Z');
const SETTLE_LIMIT_MS = 60_000;

const open: ReturnType<typeof deployment>[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.end();
});

async function openInstallation(from: string) {
  const deployed = deployment();
  open.push(deployed);
  const { signers } = await ensureSimulatedChannels(deployed.folder);
  const [redisUrl, databaseUrl] = [await deployed.startRedis(), await deployed.startDatabase()];
  const prisma = createPrisma({ url: databaseUrl, poolSize: 4, applicationName: 'upgrade-test' });
  deployed.undo.push(() => prisma.$disconnect());
  const database = { prisma, log: silent, clock: systemClock };

  const start = (name: 'gateway' | 'worker', where?: string) =>
    deployed.startApp(
      name,
      {
        REDIS_URL: redisUrl,
        ...(name === 'worker' && {
          DATABASE_URL: databaseUrl,
          PAYONCE_WORKER_RELEASE_INTERVAL_MS: '300',
        }),
      },
      where,
    );
  const end = ({ child }: App) => stop(child, 'SIGTERM', 20_000);
  const register = (number: string) =>
    registerOrder(database, { merchant: 'demo', number, amount: DUE, currency: 'CNY' });

  let gateway = await start('gateway', from);
  const post = async (channel: SimulatedChannel, request: SignedRequest) =>
    (await gateway.post(signers[channel].id, channel, request)).status;
  return {
    ...{ prisma, signers, start, end, register, post },
    get gateway() {
      return gateway;
    },
    set gateway(one: App) {
      gateway = one;
    },
  };
}
type Installation = Awaited<ReturnType<typeof openInstallation>>;

/**
 * Pays new orders by all three protocols until stopped; each payment is sent until it is
 * acknowledged.
 */
function startLoad({ signers, register, post }: Installation) {
  const paid: string[] = [];
  let running = true;
  let count = 0;
  const payOne = async () => {
    count += 1;
    const number = `L${count}`;
    await register(number);
    const channels = Object.keys(signers) as SimulatedChannel[];
    const channel = channels[count % channels.length] ?? 'sim-alipay';
    const request = signers[channel].payment({
      ...{ orderNumber: number, trade: `T${number}`, amount: DUE, paidAt },
    });
    await eventually(async () => {
      const status = await post(channel, request).catch(() => 0);
      expect([200, 204]).toContain(status);
    });
    paid.push(number);
  };
  const senders = Array.from({ length: SENDERS }, async () => {
    while (running) await payOne();
  });
  const all = Promise.all(senders);
  all.catch(() => {}); // `stop` tells
  return {
    paid,
    /** Waits until so many more were acknowledged. */
    async more(n = STAGE) {
      const wanted = paid.length + n;
      await until(`${wanted} payments`, SETTLE_LIMIT_MS, () => paid.length >= wanted);
    },
    async stop() {
      running = false;
      await all;
    },
  };
}

/**
 * Cuts of one Alipay notice before it, equal contents of one v2 payment, and payments of orders
 * that are registered later.
 */
async function leaveHeldEvents({ signers, register, post }: Installation): Promise<string[]> {
  const { 'sim-alipay': alipay, 'sim-wechat-v2': wechat } = signers;
  await register('A1');
  const notice = alipay.payment({ orderNumber: 'A1', trade: 'TA1', amount: DUE, paidAt });
  for (let cut = 0; cut < 6; cut += 1) {
    await post('sim-alipay', gluedCut(notice, 'seller_id', cut));
  }
  expect(await post('sim-alipay', notice)).toBe(200);
  await register('W1');
  const told = { orderNumber: 'W1', trade: 'TW1', amount: DUE, paidAt };
  for (const isSubscribed of ['N', 'Y']) {
    const changes = [['is_subscribe', isSubscribed]] as const;
    expect(await post('sim-wechat-v2', wechat.payment({ ...told, changes }))).toBe(200);
  }
  const later = ['LATER1', 'LATER2', 'LATER3'];
  for (const orderNumber of later) {
    const payment = { orderNumber, trade: `T${orderNumber}`, amount: DUE, paidAt };
    expect(await post('sim-alipay', alipay.payment(payment))).toBe(200);
  }
  return later;
}

const heldBy = async ({ prisma }: Installation) => {
  const held = await prisma.notificationEvent.findMany({ where: { outcome: 'held' } });
  const counts: Record<string, number> = {};
  for (const { holdReason } of held) counts[holdReason ?? ''] = (counts[holdReason ?? ''] ?? 0) + 1;
  return counts;
};
const openLetters = ({ prisma }: Installation) =>
  prisma.deadLetter.count({ where: { redrivenAt: null, dismissedAt: null } });

test.skipIf(former === undefined).each(['gateway first', 'worker first'] as const)(
  'the previous release is updated under load, %s: no dead letter stays open, and no conflict',
  async (order) => {
    const from = former ?? '';
    const shop = await openInstallation(from);
    const oldGateway = shop.gateway;
    const firstWorker = await shop.start('worker', from);
    const later = await leaveHeldEvents(shop);
    await eventually(async () => expect((await heldBy(shop)).unknown_order).toBe(3));
    const before = await heldBy(shop);
    // Jobs of the previous release wait in the queue.
    await shop.end(firstWorker);
    const load = startLoad(shop);
    await load.more();
    const oldWorker = await shop.start('worker', from);

    if (order === 'gateway first') {
      shop.gateway = await shop.start('gateway');
      await load.more();
      await shop.end(oldGateway);
      await load.more();
    }
    const letters = await openLetters(shop);
    await shop.start('worker');
    await load.more();
    await shop.end(oldWorker);
    await load.more();
    if (order === 'worker first') {
      shop.gateway = await shop.start('gateway');
      await load.more();
      await shop.end(oldGateway);
    }
    await load.more();
    await load.stop();
    for (const number of later) await shop.register(number);

    const expected = [...load.paid, ...later, 'A1', 'W1'].sort();
    const paid = () => shop.prisma.order.count({ where: { status: 'paid' } });
    await until('all to be paid', SETTLE_LIMIT_MS, async () => (await paid()) === expected.length);
    await eventually(async () => {
      expect(await openLetters(shop)).toBe(0);
      expect(await heldBy(shop)).toEqual({});
    });
    const orders = await shop.prisma.order.findMany({
      include: { facts: true, orderEvents: true },
    });
    expect(orders.map(({ number }) => number).sort()).toEqual(expected);
    for (const one of orders) {
      expect(one).toMatchObject({ paidAmount: DUE, attention: [], version: 1 });
      expect(one.orderEvents.map(({ type }) => type)).toEqual(['order.paid']);
    }
    const rows = await shop.prisma.notification.count();
    if (IS_FULL) console.log({ order, before, letters, payments: load.paid.length, rows });
    if (order === 'gateway first') expect(letters).toBeGreaterThan(0);
  },
);
