import { gatewayState } from '@payonce/core/queue/report';
import { systemClock } from '@payonce/core/runtime/clock';
import { registerOrder } from '@payonce/orders/registration/register';
import { eventually } from '@payonce/testkit/poll';
import { describe, expect, test } from 'vitest';
import { addWorker, closeShop, openShop } from './shop.js';
import { silent } from './silent.js';

const DUE = 8_888n;

/**
 * From nine copies at the edge to the count on the row: the queue swallows eight, and the gateway
 * reports them.
 */
describe.each(['redis', 'postgres'])('reports through %s', (queue) => {
  test('nine copies are acknowledged nine times, applied once, and nine is what the row says', async () => {
    const shop = await openShop(queue);
    try {
      const database = { prisma: shop.prisma, log: silent, clock: systemClock };
      const terms = { merchant: 'demo', number: 'R1', amount: DUE, currency: 'CNY' };
      await registerOrder(database, terms);
      const payment = { orderNumber: 'R1', trade: 'TR1', amount: DUE, paidAt: new Date() };
      const request = shop.signers['sim-alipay'].payment(payment);
      for (let copy = 0; copy < 9; copy += 1) {
        expect((await shop.post('alipay', 'sim-alipay', request)).status).toBe(200);
      }
      await eventually(async () =>
        expect(await shop.prisma.notification.findMany()).toMatchObject([
          { status: 'applied', acknowledged: 9 },
        ]),
      );
      const [gateway] = await shop.prisma.gateway.findMany();
      const { stores, channels } = gatewayState.parse(gateway?.state);
      expect(stores).toContainEqual({ name: queue, state: 'ready' });
      expect(channels.map(({ channel }) => channel)).toContain('sim-wechat');
      const { _sum } = await shop.prisma.gatewayMinute.aggregate({
        _sum: { received: true, acknowledged: true, refused: true },
      });
      expect(_sum).toEqual({ received: 9, acknowledged: 9, refused: 0 });
    } finally {
      await closeShop(shop);
    }
  });

  test('copies that were reported before the notification was applied are counted afterwards', async () => {
    const shop = await openShop(queue, { worker: false });
    try {
      const payment = { orderNumber: 'R2', trade: 'TR2', amount: DUE, paidAt: new Date() };
      const request = shop.signers['sim-wechat'].payment(payment);
      for (let copy = 0; copy < 3; copy += 1) {
        expect((await shop.post('wechatpay', 'sim-wechat', request)).status).toBe(204);
      }
      await addWorker(shop, queue);
      await eventually(async () =>
        expect(await shop.prisma.notification.findMany()).toMatchObject([
          { status: 'held', acknowledged: 3 },
        ]),
      );
    } finally {
      await closeShop(shop);
    }
  });
});
