import { until } from '@payonce/testkit/machine/poll';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { addWorker, closeShop, DUE, openShop, type Shop } from './shop.js';

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
      await shop.register('ORDER1');
    });
    afterEach(() => closeShop(shop));

    test.each(CHANNELS)(
      'fifty posts of one payment of $provider at once are all acknowledged and applied once',
      async ({ channel, status, accepted }) => {
        const payment = shop.signers[channel].payment(PAYMENT);
        const replies = await Promise.all(
          Array.from({ length: 50 }, () => shop.post(channel, payment)),
        );
        const expected = { status, body: accepted, acknowledged: true };
        expect(replies).toEqual(Array.from({ length: 50 }, () => expected));
        await orderIs(shop, 'paid');
        expect(await shop.prisma.notification.count()).toBe(1);
        expect(await shop.prisma.fact.count({ where: { kind: 'paid' } })).toBe(1);
        expect(await shop.prisma.orderEvent.findMany({ select: { type: true } })).toEqual([
          { type: 'order.paid' },
        ]);
      },
    );

    test('a payment that both WeChat protocols report is one payment', async () => {
      await shop.post('sim-wechat-v2', shop.signers['sim-wechat-v2'].payment(PAYMENT));
      await orderIs(shop, 'paid');
      await shop.post('sim-wechat', shop.signers['sim-wechat'].payment(PAYMENT));
      await until('both to be settled', 10_000, async () => (await outcomes(shop)).length === 2);
      expect(await outcomes(shop)).toEqual(['applied', 'duplicate']);
      expect((await shop.prisma.order.findFirstOrThrow()).attention).toEqual([]);
    });

    test('notifications that were acknowledged while the worker was down are applied when it returns', async () => {
      const away = await openShop(queue, { worker: false });
      onTestFinished(() => closeShop(away));
      await away.register('ORDER1');
      const payment = away.signers['sim-alipay'].payment(PAYMENT);
      expect(await away.post('sim-alipay', payment)).toMatchObject({ body: 'success' });
      expect(await away.prisma.notification.count()).toBe(0);
      await addWorker(away, queue);
      await orderIs(away, 'paid');
    });

    test('a forged payment is refused, and leaves no trace behind the gateway', async () => {
      const { signers } = shop;
      const forged = signers['sim-alipay'].forge(signers['sim-alipay'].payment(PAYMENT));
      const { status, body } = await shop.post('sim-alipay', forged);
      expect([status, body]).toEqual([401, 'fail']);
      const genuine = { ...PAYMENT, orderNumber: 'ORDER2', trade: 'TRADE2' };
      await shop.post('sim-alipay', signers['sim-alipay'].payment(genuine));
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
