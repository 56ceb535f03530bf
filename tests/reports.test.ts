import { gatewayState } from '@payonce/core/queue/report';
import { eventually } from '@payonce/testkit/machine/poll';
import { describe, expect, onTestFinished, test } from 'vitest';
import { viewOfNotification } from '../apps/console/src/api/notification-views.js';
import { readNotifications } from '../apps/console/src/reads/notifications.js';
import { addWorker, closeShop, DUE, openShop, type Shop } from './shop.js';

/** As the console's API shows them. */
const shownBy = async ({ prisma }: Shop) =>
  (await readNotifications(prisma, 'all', {}, 10)).rows.map(viewOfNotification);

/**
 * From nine copies at the edge to the count in the API: the queue swallows eight, and the
 * gateway reports them.
 */
describe.each(['redis', 'postgres'])('reports through %s', (queue) => {
  test('nine copies are acknowledged nine times, applied once, and the API says eight more copies', async () => {
    const shop = await openShop(queue);
    onTestFinished(() => closeShop(shop));
    await shop.register('R1');
    const payment = { orderNumber: 'R1', trade: 'TR1', amount: DUE, paidAt: new Date() };
    const request = shop.signers['sim-alipay'].payment(payment);
    for (let copy = 0; copy < 9; copy += 1) {
      expect((await shop.post('sim-alipay', request)).status).toBe(200);
    }
    await eventually(async () =>
      expect(await shownBy(shop)).toMatchObject([{ status: 'applied', copies: 8 }]),
    );
    const [gateway] = await shop.prisma.gateway.findMany();
    const { stores, channels } = gatewayState.parse(gateway?.state);
    expect(stores).toContainEqual({ name: queue, state: 'ready' });
    expect(channels.map(({ channel }) => channel)).toContain('sim-wechat');
    const { _sum } = await shop.prisma.gatewayMinute.aggregate({
      _sum: { received: true, acknowledged: true, refused: true },
    });
    expect(_sum).toEqual({ received: 9, acknowledged: 9, refused: 0 });
  });

  test('copies that were reported before the notification was stored count as well', async () => {
    const shop = await openShop(queue, { worker: false });
    onTestFinished(() => closeShop(shop));
    const payment = { orderNumber: 'R2', trade: 'TR2', amount: DUE, paidAt: new Date() };
    const request = shop.signers['sim-wechat'].payment(payment);
    for (let copy = 0; copy < 3; copy += 1) {
      expect((await shop.post('sim-wechat', request)).status).toBe(204);
    }
    await addWorker(shop, queue);
    await eventually(async () =>
      expect(await shownBy(shop)).toMatchObject([{ status: 'held', copies: 2 }]),
    );
  });
});
