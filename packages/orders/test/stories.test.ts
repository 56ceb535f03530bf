/**
 * From the providers' real bytes to the order row. Each history is played in order, backwards,
 * twice and in one batch, and must always end the same.
 */
import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import { ATTENTION_FLAGS } from '@payonce/orders/orders/order';
import { registerOrder } from '@payonce/orders/registration/register';
import { describe, expect, test } from 'vitest';
import { minute, type TestDatabase, testDatabase } from './database-support.js';
import { stories } from './stories.js';
import { ORDER } from './wire.js';

type Arrival = (deps: TestDatabase, told: readonly VerifiedNotification[]) => Promise<unknown>;

const oneByOne: Arrival = async (deps, told) => {
  for (const one of told) await applyNotifications(deps, [one]);
};
const arrivals: Readonly<Record<string, Arrival>> = {
  'in order': oneByOne,
  'backwards, and twice over': (deps, told) => oneByOne(deps, [...told, ...told].reverse()),
  'all in one batch, backwards': (deps, told) => applyNotifications(deps, [...told].reverse()),
};

describe.each(stories)('$title', (story) => {
  test('always ends the same', async () => {
    const told = story.told();
    const deps = await testDatabase();
    const { attention = [], primary = 'T1', paidAt = minute(1), events = [] } = story;
    for (const [arrival, tell] of Object.entries(arrivals)) {
      await empty(deps);
      await registerOrder(deps, ORDER);
      await tell(deps, told);
      const order = await deps.prisma.order.findFirstOrThrow({
        include: { orderEvents: { orderBy: { id: 'asc' } } },
      });
      expect(order, arrival).toMatchObject({
        status: story.status,
        paidAmount: story.paid ?? 8888n,
        refundedAmount: story.refunded ?? 0n,
        attention,
        primaryTrade: primary,
        paidAt,
      });
      const milestones = order.orderEvents.map(({ type, milestone }) => `${type} ${milestone}`);
      expect(milestones, arrival).toEqual(expect.arrayContaining([...events]));
      expect(milestones.filter((one) => one.startsWith('order.paid'))).toHaveLength(
        primary ? 1 : 0,
      );
      expect(await deps.prisma.notification.count({ where: { status: 'held' } }), arrival).toBe(0);
    }
  });
});

test('every attention flag that one merchant can raise is reached by one of these histories', () => {
  const reached = new Set(stories.flatMap(({ attention = [] }) => attention));
  const alone = ATTENTION_FLAGS.filter((flag) => flag !== 'contested_trade');
  expect([...reached].sort()).toEqual([...alone].sort());
});

/** Cloning a database for each arrival would take longer than all of them. */
async function empty({ prisma }: TestDatabase): Promise<void> {
  await prisma.$executeRaw`DO $$ BEGIN
    DELETE FROM facts; DELETE FROM trades; DELETE FROM order_events;
    DELETE FROM notification_events; DELETE FROM notifications; DELETE FROM orders;
  END $$`;
}
