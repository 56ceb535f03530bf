import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import { closeOrder, registerOrder } from '@payonce/orders/registration/register';
import type { Fact } from '@payonce/providers/fact';
import { describe, expect, test } from 'vitest';
import {
  minute,
  notification,
  orderRow,
  paid,
  payment,
  refundTotal,
  statement,
  terms,
  testDatabase,
  toldEvents,
} from './database-support.js';

const DUPLICATE = { outcome: 'duplicate' };

describe('refunds, closes and second payments', () => {
  test('a refund before its payment: the order is paid and refunded, and both have an order event', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    await applyNotifications(deps, [
      notification(statement('A1', 'T1', [paid('T1', null), refundTotal('T1', 8888n)])),
    ]);
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'refunded', paidAt: null });
    const [late] = await applyNotifications(deps, [notification(payment('A1', 'T1'))]);
    expect(late?.events).toEqual([DUPLICATE]);
    const order = await orderRow(deps, 'A1');
    expect(order).toMatchObject({ status: 'refunded', paidAt: minute(1), version: 2 });
    expect(await toldEvents(deps, 'A1')).toEqual(['order.paid paid@1', 'order.refunded 8888@1']);
  });

  test('a payment after the close: paid wins, paid_late is raised and reported', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    expect(await closeOrder(deps, terms('A1'))).toMatchObject({
      outcome: 'closed',
      order: { status: 'closed', version: 1 },
    });
    await closeOrder(deps, terms('A1'));
    await applyNotifications(deps, [notification(payment('A1'))]);
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'paid', attention: ['paid_late'] });
    expect(await toldEvents(deps, 'A1')).toEqual([
      'order.closed closed@1',
      'order.paid paid@2',
      'order.attention paid_late@2',
    ]);
  });

  test('a payment made before the close but received after it: closed_though_paid', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    deps.now = minute(10);
    await closeOrder(deps, terms('A1'));
    await applyNotifications(deps, [notification(payment('A1'))]);
    expect((await orderRow(deps, 'A1')).attention).toEqual(['closed_though_paid']);
  });

  test('closing a paid order is too late and records nothing; closing an unknown one reports that', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    await applyNotifications(deps, [notification(payment('A1'))]);
    expect(await closeOrder(deps, terms('A1'))).toMatchObject({
      outcome: 'paid',
      order: { status: 'paid', version: 1, attention: [] },
    });
    expect(await closeOrder(deps, terms('nope'))).toEqual({ outcome: 'unknown_order' });
  });

  test('closed by the rail, unpaid: closed', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    const closed: Fact = { kind: 'closed', by: 'alipay', trade: 'T1', at: minute(30) };
    await applyNotifications(deps, [notification(statement('A1', 'T1', [closed]))]);
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'closed', primaryTrade: null });
  });

  test('a second payment does not change which was first, in any order of arrival', async () => {
    for (const trades of [
      ['T1', 'T2'],
      ['T2', 'T1'],
    ]) {
      const deps = await testDatabase();
      await registerOrder(deps, terms('A1'));
      for (const trade of trades) {
        const at = trade === 'T1' ? minute(1) : minute(2);
        await applyNotifications(deps, [notification(statement('A1', trade, [paid(trade, at)]))]);
      }
      expect(await orderRow(deps, 'A1')).toMatchObject({
        primaryTrade: 'T1',
        paidAmount: 8888n,
        attention: ['second_payment'],
      });
    }
  });
});
