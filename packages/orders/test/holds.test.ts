import { registerOrder } from '@payonce/orders/registration/register';
import type { PaymentEvent } from '@payonce/providers/event';
import { describe, expect, test } from 'vitest';
import {
  apply,
  minute,
  notification,
  notificationRow,
  orderRow,
  paid,
  payment,
  statement,
  terms,
  testDatabase,
} from './database-support.js';

describe('a hold', () => {
  const unsupported: PaymentEvent = { kind: 'unsupported', orderNumber: 'A1', says: 'X.Y' };
  const nothing: PaymentEvent = { kind: 'nothing', orderNumber: 'A1', says: 'WAIT_BUYER_PAY' };

  test.each([
    ['unknown_order', payment('other')],
    ['amount_mismatch', payment('A1', 'T1', { amount: 8887n })],
    ['amount_mismatch', statement('A1', 'T1', [paid('T1', minute(1), 1n)], { amount: null })],
    ['currency_mismatch', payment('A1', 'T1', { currency: 'USD' })],
    ['merchant_mismatch', payment('A1', 'T1', { payeeMatches: false })],
    ['unconfirmed', payment('A1', 'T1', { signed: false })],
    ['unsupported_event', unsupported],
  ])('%s keeps the event and changes no order', async (reason, event) => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    const notice = notification(event);
    expect(await apply(deps, notice)).toEqual([[reason]]);
    expect(await notificationRow(deps, notice)).toMatchObject({
      status: 'held',
      events: [{ outcome: 'held', holdReason: reason, orderNumber: event.orderNumber }],
    });
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'pending', version: 0, facts: [] });
    expect(await deps.prisma.trade.count()).toBe(0);
  });

  test('is not needed for an event without effect: ignored, and kept', async () => {
    const deps = await testDatabase();
    const notice = notification(nothing);
    expect(await apply(deps, notice)).toEqual([['ignored']]);
    expect(await notificationRow(deps, notice)).toMatchObject({ status: 'ignored', events: [{}] });
  });

  test('trade_on_other_order: a trade pays the first order that claimed it, and no other', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    await registerOrder(deps, terms('A2'));
    const [first, second] = [notification(payment('A1', 'T')), notification(payment('A2', 'T'))];
    expect(await apply(deps, first, second)).toEqual([['applied'], ['trade_on_other_order']]);
    expect(await orderRow(deps, 'A2')).toMatchObject({ status: 'pending', facts: [] });
  });

  test('two orders race for one trade: exactly one gets it', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    await registerOrder(deps, terms('A2'));
    for (let round = 0; round < 20; round += 1) {
      const outcomes = await Promise.all([
        apply(deps, notification(payment('A1', `T${round}`))),
        apply(deps, notification(payment('A2', `T${round}`))),
      ]);
      expect(outcomes.flat(2).sort()).toEqual(['applied', 'trade_on_other_order']);
    }
  });
});
