import { until } from '@payonce/testkit/machine/poll';
import type { Posted } from '@payonce/testkit/sending/notify';
import { startOwnPostgres } from '@payonce/testkit/stores/own-postgres';
import { type OwnRedis, startOwnRedis } from '@payonce/testkit/stores/redis-server';
import { query } from '@payonce/testkit/stores/sessions';
import { beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import { closeShop, DUE, openShop, type Shop } from './shop.js';

/** One gateway and one worker, while the stores go down and come back. */

/** The gateway's deadline is 2.0 s; the rest is for a busy machine. */
const REPLY_LIMIT_MS = 2_500;
const CHANNELS = ['sim-alipay', 'sim-wechat', 'sim-wechat-v2'] as const;

let redis: OwnRedis;

beforeEach(async () => {
  redis = await startOwnRedis();
  onTestFinished(() => redis.remove());
});

async function open(own: Partial<Shop['servers']> = {}): Promise<Shop> {
  const shop = await openShop('redis', { own: { redis: { REDIS_URL: redis.url }, ...own } });
  onTestFinished(() => closeShop(shop));
  return shop;
}

interface Reply extends Posted {
  readonly tookMs: number;
}

/**
 * An order each, with its payment, by one provider after the other: a function that sends it, also
 * repeatedly.
 */
async function prepare(
  shop: Shop,
  numbers: readonly string[],
): Promise<readonly (() => Promise<Reply>)[]> {
  for (const number of numbers) await shop.register(number);
  return numbers.map((number, index) => {
    const channel = CHANNELS[index % 3] ?? CHANNELS[0];
    const payment = { orderNumber: number, trade: `T${number}`, amount: DUE, paidAt: new Date() };
    const request = shop.signers[channel].payment(payment);
    return async () => {
      const before = performance.now();
      const posted = await shop.post(channel, request);
      return { ...posted, tookMs: performance.now() - before };
    };
  });
}

const sendAll = (sends: readonly (() => Promise<Reply>)[]) =>
  Promise.all(sends.map((send) => send()));

function expectAcknowledged(replies: readonly Reply[]): void {
  for (const { acknowledged, tookMs } of replies) {
    expect(acknowledged).toBe(true);
    expect(tookMs).toBeLessThan(REPLY_LIMIT_MS);
  }
}

async function payAndBeAcknowledged(shop: Shop, numbers: readonly string[]): Promise<void> {
  expectAcknowledged(await sendAll(await prepare(shop, numbers)));
}

/** Like a provider. */
async function sendUntilAcknowledged(sends: readonly (() => Promise<Reply>)[]): Promise<void> {
  for (const send of sends) {
    await until('it to be acknowledged', 15_000, async () => (await send()).acknowledged);
  }
}

const numbered = (letter: string, count = 9) =>
  Array.from({ length: count }, (_, index) => `${letter}${index}`);

async function untilPaid({ prisma }: Shop, count: number): Promise<void> {
  const paid = () => prisma.order.count({ where: { status: 'paid' } });
  await until(`${count} orders to be paid`, 30_000, async () => (await paid()) === count);
}

async function expectPaidOnce({ prisma }: Shop, count: number): Promise<void> {
  const orders = await prisma.order.findMany({ include: { orderEvents: true } });
  expect(orders).toHaveLength(count);
  for (const order of orders) {
    expect(order).toMatchObject({ status: 'paid', paidAmount: DUE, attention: [] });
    expect(order.orderEvents.map(({ type }) => type)).toEqual(['order.paid']);
  }
  expect(await prisma.deadLetter.count()).toBe(0);
}

test('through every outage and return of Redis all are acknowledged in time, applied, and paid once', async () => {
  const shop = await open();
  await payAndBeAcknowledged(shop, numbered('a'));
  redis.suspend();
  await payAndBeAcknowledged(shop, numbered('b')); // given up in Redis, where they land later
  redis.resume();
  await payAndBeAcknowledged(shop, numbered('c'));
  await redis.kill();
  await payAndBeAcknowledged(shop, numbered('d'));
  await redis.start({ appendfsync: 'everysec' });
  await payAndBeAcknowledged(shop, numbered('e'));
  await redis.kill();
  await redis.start({});
  await payAndBeAcknowledged(shop, numbered('f'));
  await untilPaid(shop, 54);
  await until('those that were in both stores to be copies', 30_000, async () => {
    const { _sum } = await shop.prisma.notification.aggregate({ _sum: { copies: true } });
    return (_sum.copies ?? 0) >= 9;
  });
  await expectPaidOnce(shop, 54);
});

test('with both stores down nothing is acknowledged; a re-send after the return of one is', async () => {
  const shop = await open();
  await payAndBeAcknowledged(shop, numbered('a', 3));
  await untilPaid(shop, 3);
  // The orders stay available: only the queue's role is locked out.
  await redis.kill();
  await shutOut(shop, true);
  const sends = await prepare(shop, numbered('b', 3));
  const replies = await sendAll(sends);
  expect(replies.map(({ status }) => status)).toEqual([503, 503, 503]);
  for (const { tookMs } of replies) expect(tookMs).toBeLessThan(REPLY_LIMIT_MS);
  expect(await shop.prisma.order.count({ where: { status: 'paid' } })).toBe(3);
  await shutOut(shop, false);
  await sendUntilAcknowledged(sends);
  await untilPaid(shop, 6);
  await expectPaidOnce(shop, 6);
});

async function shutOut({ role }: Shop, isOut: boolean): Promise<void> {
  await query(
    inject('postgresUrl'),
    `ALTER ROLE ${role} ${isOut ? 'NOLOGIN' : 'LOGIN'}`,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${isOut} AND usename = '${role}'`,
  );
}

test('PostgreSQL crashes and restarts: meanwhile all are acknowledged, afterwards applied, and it is a standby again', async () => {
  const postgres = await startOwnPostgres();
  onTestFinished(() => postgres.remove());
  const shop = await open({ postgresUrl: postgres.adminUrl, templateDatabase: null });
  await payAndBeAcknowledged(shop, numbered('a'));
  await untilPaid(shop, 9);
  const meanwhile = await prepare(shop, numbered('b'));
  await postgres.kill();
  expectAcknowledged(await sendAll(meanwhile));
  await postgres.start();
  await untilPaid(shop, 18);
  await redis.kill();
  await sendUntilAcknowledged(await prepare(shop, numbered('c')));
  await untilPaid(shop, 27);
  await expectPaidOnce(shop, 27);
});
