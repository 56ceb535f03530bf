/** Interleavings that rarely occur by chance, forced by a lock from another session. */
import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import { retryHeld } from '@payonce/orders/notifications/held/retry-held';
import { closeOrder, registerOrder } from '@payonce/orders/registration/register';
import type { Fact } from '@payonce/providers/fact';
import { expect, test } from 'vitest';
import {
  minute,
  notification,
  notificationRow,
  orderRow,
  payment,
  statement,
  terms,
  testDatabase,
} from './database-support.js';
import { holdLock, waiting } from './interleaving.js';

test('an order registered while its notification is being held is found', async () => {
  const deps = await testDatabase();
  await registerOrder(deps, terms('busy'));
  const release = await holdLock(deps, `SELECT 1 FROM orders WHERE number = 'busy' FOR UPDATE`);
  const notice = notification([payment('new'), payment('busy')]);
  // It has looked for the order and found none, and waits for the other one.
  const applying = applyNotifications(deps, [notice]);
  await waiting(deps, 1);
  const registering = registerOrder(deps, terms('new'));
  await waiting(deps, 2, registering);
  await release();
  await Promise.all([applying, registering]);
  expect(await orderRow(deps, 'new')).toMatchObject({ status: 'paid', version: 1 });
  expect(await notificationRow(deps, notice)).toMatchObject({ status: 'applied' });
});

test('a notification that arrives while its order is being registered waits for it', async () => {
  const deps = await testDatabase();
  await applyNotifications(deps, [notification(payment('new', 'T1'))]);
  const release = await holdLock(deps, 'LOCK TABLE trades IN SHARE MODE');
  // It has inserted the order, and waits to claim the trade of the held notification.
  const registering = registerOrder(deps, terms('new'));
  await waiting(deps, 1);
  const applying = applyNotifications(deps, [notification(payment('new', 'T1'))]);
  await waiting(deps, 2, applying);
  await release();
  const [registered, applied] = await Promise.all([registering, applying]);
  expect(registered).toMatchObject({ released: 1, order: { status: 'paid' } });
  expect(applied).toMatchObject([{ events: [{ outcome: 'duplicate' }] }]);
});

test('a held notification that is being decided does not stop its order from being registered', async () => {
  const deps = await testDatabase();
  const notice = notification(payment('new'));
  await applyNotifications(deps, [notice]);
  const release = await holdLock(deps, 'SELECT 1 FROM notifications FOR UPDATE');
  expect(await registerOrder(deps, terms('new'))).toMatchObject({ released: 0 });
  await release();
  deps.now = minute(1);
  expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 1 });
});

test('different notifications of one order at once: no fact and no milestone is lost', async () => {
  const deps = await testDatabase();
  await registerOrder(deps, terms('A1'));
  const notices = Array.from({ length: 40 }, (_, n) => {
    const facts: Fact[] = [
      { kind: 'paid', rail: 'wechat', trade: 'W', amount: 8888n, at: minute(1) },
      {
        kind: 'refund',
        rail: 'wechat',
        trade: 'W',
        refundId: `R${n}`,
        status: 'SUCCESS',
        amount: 100n,
        at: minute(2),
      },
    ];
    return notification(statement('A1', 'W', facts, { rail: 'wechat' }));
  });
  const outcomes = await Promise.all(notices.map((notice) => applyNotifications(deps, [notice])));
  expect(outcomes.flat(2).flatMap(({ events }) => events)).toEqual(
    Array(40).fill({ outcome: 'applied' }),
  );
  const order = await orderRow(deps, 'A1');
  expect(order).toMatchObject({ status: 'partially_refunded', refundedAmount: 4000n, version: 40 });
  expect(order.facts).toHaveLength(41);
  expect(order.orderEvents.map((event) => event.milestone)).toEqual([
    'paid',
    ...Array.from({ length: 40 }, (_, n) => `${(n + 1) * 100}`),
  ]);
});

test('closing and paying at once: paid, in either order', async () => {
  const deps = await testDatabase();
  for (let round = 0; round < 20; round += 1) {
    const number = `R${round}`;
    await registerOrder(deps, terms(number));
    const [closed] = await Promise.all([
      closeOrder(deps, terms(number)),
      applyNotifications(deps, [notification(payment(number))]),
    ]);
    const order = await orderRow(deps, number);
    expect(order.status).toBe('paid');
    expect(order.attention).toEqual(closed.outcome === 'paid' ? [] : ['paid_late']);
  }
});
