import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import { retryHeld } from '@payonce/orders/notifications/held/retry-held';
import { registerOrder } from '@payonce/orders/registration/register';
import type { Fact } from '@payonce/providers/fact';
import { describe, expect, test } from 'vitest';
import {
  apply,
  minute,
  notification,
  notificationRow,
  orderRow,
  payment,
  statement,
  terms,
  testDatabase,
  toldEvents,
} from './database-support.js';

describe('unknown_order', () => {
  test('is released by registering the order, in the same transaction', async () => {
    const deps = await testDatabase();
    const notice = notification(payment('A1'));
    expect(await apply(deps, notice)).toEqual([['unknown_order']]);
    expect(await registerOrder(deps, terms('A1'))).toMatchObject({
      outcome: 'registered',
      released: 1,
      order: { status: 'paid', version: 1, paidAmount: 8888n },
    });
    expect(await notificationRow(deps, notice)).toMatchObject({
      status: 'applied',
      copies: 0,
      events: [{ outcome: 'applied', holdReason: null, nextRetryAt: null }],
    });
    expect(await toldEvents(deps, 'A1')).toEqual(['order.paid paid@1']);
  });

  test('registered with another amount: still held, now as amount_mismatch', async () => {
    const deps = await testDatabase();
    const notice = notification(payment('A1'));
    await apply(deps, notice);
    expect(await registerOrder(deps, terms('A1', 1n))).toMatchObject({ released: 0 });
    expect(await notificationRow(deps, notice)).toMatchObject({
      events: [{ holdReason: 'amount_mismatch', nextRetryAt: null }],
    });
  });

  test('is released by a copy that comes after the registration', async () => {
    const deps = await testDatabase();
    const notice = notification(payment('A1'));
    await apply(deps, notice);
    // As if the registration had not seen it.
    await deps.prisma.notificationEvent.updateMany({ data: { holdReason: 'internal_error' } });
    await registerOrder(deps, terms('A1'));
    const [outcome] = await applyNotifications(deps, [notice]);
    expect(outcome).toMatchObject({ copy: false, events: [{ outcome: 'applied' }] });
    expect(await notificationRow(deps, notice)).toMatchObject({ copies: 1, status: 'applied' });
  });

  test('applying and registering race: never held although its order exists, never applied twice', async () => {
    const deps = await testDatabase();
    for (let round = 0; round < 60; round += 1) {
      const number = `R${round}`;
      const notice = notification(payment(number));
      await Promise.all([
        applyNotifications(deps, [notice]),
        registerOrder(deps, terms(number)),
        applyNotifications(deps, [notice]),
        registerOrder(deps, terms(number)),
      ]);
      expect(await orderRow(deps, number), number).toMatchObject({ status: 'paid', version: 1 });
      expect(await notificationRow(deps, notice), number).toMatchObject({
        status: 'applied',
        copies: 1,
      });
    }
  });

  test('of a combined order delays nothing: the other sub-orders are applied', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    await registerOrder(deps, terms('A3'));
    const notice = notification([payment('A1'), payment('A2'), payment('A3')]);
    expect(await apply(deps, notice)).toEqual([['applied', 'unknown_order', 'applied']]);
    expect(await notificationRow(deps, notice)).toMatchObject({ status: 'held' });
    expect(await registerOrder(deps, terms('A2'))).toMatchObject({
      released: 1,
      order: { status: 'paid' },
    });
    expect(await apply(deps, notice)).toEqual([['applied', 'applied', 'applied']]);
    expect(await notificationRow(deps, notice)).toMatchObject({ status: 'applied', copies: 1 });
    expect(await deps.prisma.order.count({ where: { version: 1 } })).toBe(3);
  });
});

describe('the schedule', () => {
  test('retries later and later, and only reasons that time can cure', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    const cured = notification(payment('unknown'));
    await apply(deps, cured, notification(payment('A1', 'T1', { amount: 1n })));
    expect(await retryHeld(deps, 10)).toEqual({ looked: 0, released: 0 });
    deps.now = minute(1);
    expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 0 });
    expect(await notificationRow(deps, cured)).toMatchObject({
      events: [{ tries: 1, nextRetryAt: minute(6) }],
    });
    deps.now = minute(5);
    expect(await retryHeld(deps, 10)).toMatchObject({ looked: 0 });
  });

  test('releases an unsigned notice as a duplicate once a signed one stated the same', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    const refund = (amount: bigint): Fact[] => [
      { kind: 'paid', rail: 'wechat', trade: 'W', amount: 8888n, at: null },
      {
        kind: 'refund',
        rail: 'wechat',
        trade: 'W',
        refundId: 'R',
        status: 'SUCCESS',
        amount,
        at: minute(3),
      },
    ];
    const rail = { rail: 'wechat' as const };
    const unsigned = notification(statement('A1', 'W', refund(100n), { ...rail, signed: false }));
    const forged = notification(statement('A1', 'W', refund(99n), { ...rail, signed: false }));
    expect(await apply(deps, unsigned, forged)).toEqual([['unconfirmed'], ['unconfirmed']]);
    await apply(deps, notification(statement('A1', 'W', refund(100n), rail)));
    deps.now = minute(1);
    expect(await retryHeld(deps, 10)).toEqual({ looked: 2, released: 1 });
    expect(await notificationRow(deps, unsigned)).toMatchObject({ status: 'duplicate' });
    expect(await notificationRow(deps, forged)).toMatchObject({ status: 'held' });
    expect(await orderRow(deps, 'A1')).toMatchObject({ refundedAmount: 100n, version: 1 });
  });
});
