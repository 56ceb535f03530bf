import { until } from '@payonce/testkit/machine/poll';
import { afterEach, expect, inject, test } from 'vitest';
import { addWorker, closeShop, DUE, openShop, type Shop } from './shop.js';
import { queuedIn, untilAllReady } from './stores-of.js';

const SHARDS = ['redis', 'redis-1', 'redis-2'];

let shop: Shop;
afterEach(() => closeShop(shop));

/** A payment and a partial refund of each, to a gateway with three shards. */
async function payAndRefund(numbers: readonly string[]): Promise<void> {
  const signer = shop.signers['sim-alipay'];
  for (const number of numbers) {
    await shop.register(number);
    const trade = { orderNumber: number, trade: `T${number}`, amount: DUE, paidAt: new Date() };
    const refund = { refundId: `R${number}`, refundAmount: 100n, refundedTotal: 100n };
    const requests = [
      signer.payment(trade),
      signer.refund({ ...trade, ...refund, refundedAt: new Date(), full: false }),
    ];
    for (const request of requests) {
      expect((await shop.post('sim-alipay', request)).status).toBe(200);
    }
  }
}

test('when gateways get more shards, workers that were started with one take from all of them', async () => {
  const redis = { REDIS_URL: inject('redisUrl'), PAYONCE_QUEUE_SHARDS: String(SHARDS.length) };
  shop = await openShop('redis', { worker: false, own: { redis } });
  await untilAllReady(shop);
  const numbers = Array.from({ length: 12 }, (_, index) => `order-${index}`);
  await payAndRefund(numbers);
  const counts = await queuedIn(shop);
  for (const shard of SHARDS) expect(counts[shard]).toBeGreaterThan(0);
  await addWorker(shop, 'redis', { PAYONCE_QUEUE_SHARDS: '1' });
  await until('all to be refunded in part', 25_000, async () => {
    const done = { status: 'partially_refunded', refundedAmount: 100n };
    return (await shop.prisma.order.count({ where: done })) === numbers.length;
  });
}, 60_000);
