import { systemClock } from '@payonce/core/runtime/clock';
import { recordDeadLetter } from '@payonce/orders/notifications/dead-letters/dead-letters';
import { eventually } from '@payonce/testkit/machine/poll';
import { expect } from 'vitest';
import { DUE, type Shop } from '../shop.js';
import { silent } from '../silent.js';

/** Signs like the provider, and sends over HTTP, as often as configured. */
export async function pay(
  shop: Shop,
  orderNumber: string,
  { amount = DUE, copies = 1 }: { amount?: bigint; copies?: number } = {},
): Promise<void> {
  const paidAt = new Date();
  const payment = { orderNumber, trade: `T${orderNumber}`, amount, paidAt };
  const signed = shop.signers['sim-alipay'].payment(payment);
  for (let copy = 0; copy < copies; copy += 1) {
    expect(await shop.post('sim-alipay', signed)).toMatchObject({ acknowledged: true });
  }
}

/** The state of a shop after a day: paid, refunded, pending and held orders, and a dead letter. */
export async function playDay(shop: Shop): Promise<void> {
  for (const number of ['ORDER-1', 'ORDER-2', 'ORDER-3', 'ORDER-4']) await shop.register(number);
  await pay(shop, 'ORDER-1', { copies: 9 });
  await pay(shop, 'ORDER-2');
  await pay(shop, 'ORDER-3', { amount: 1n });
  await pay(shop, 'NOT-REGISTERED');
  const refund = shop.signers['sim-wechat-v2'].refund({
    orderNumber: 'ORDER-2',
    trade: 'TORDER-2',
    amount: DUE,
    refundId: 'R1',
    refundAmount: 3_000n,
    refundedTotal: 3_000n,
    refundedAt: new Date(),
    full: false,
  });
  await shop.post('sim-wechat-v2', refund);
  await recordDeadLetter(
    { prisma: shop.prisma, log: silent, clock: systemClock },
    {
      queue: 'notifications',
      jobId: 'alipay.sim-alipay.forged.00000000',
      job: { version: 3, provider: 'alipay', bodyBase64: Buffer.from('a=1').toString('base64') },
      reason: 'verification_failed',
      error: 'bad_signature',
    },
  );
  await eventually(async () => {
    expect(await shop.prisma.notification.count()).toBe(5);
    expect(await shop.prisma.notificationEvent.count({ where: { outcome: 'held' } })).toBe(3);
    expect(await shop.prisma.delivery.count({ where: { state: 'delivered' } })).toBeGreaterThan(4);
  });
}
