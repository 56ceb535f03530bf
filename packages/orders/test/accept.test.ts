import { acceptHeldEvent } from '@payonce/orders/notifications/held/operator';
import { registerOrder } from '@payonce/orders/registration/register';
import type { Fact } from '@payonce/providers/fact';
import { describe, expect, test } from 'vitest';
import {
  apply,
  minute,
  notification,
  notificationRow,
  orderRow,
  paid,
  payment,
  refundTotal,
  statement,
  terms,
  testDatabase,
  toldEvents,
} from './database-support.js';
import { auditRows, command, heldDatabase, operator, refundOf, unsigned } from './held.js';

describe('accepting', () => {
  test.each([
    ['amount_mismatch', 1n, 'paid'],
    ['merchant_mismatch', 8888n, 'paid'],
    ['id_conflict', 8888n, 'paid'],
    ['unconfirmed', 8888n, 'partially_refunded'],
  ] as const)(
    '%s: the order counts as paid with the amount received',
    async (reason, amount, status) => {
      const deps = await heldDatabase(reason);
      const [event] = await deps.prisma.notificationEvent.findMany({ where: { outcome: 'held' } });
      expect(await acceptHeldEvent(deps, await command(deps))).toEqual({
        result: 'done',
        outcome: 'applied',
        again: false,
      });
      const order = await orderRow(deps, 'A1');
      expect(order).toMatchObject({ status, paidAmount: amount, primaryTrade: 'T', version: 1 });
      const [audit, ...more] = await auditRows(deps);
      expect(more).toEqual([]);
      expect(audit).toMatchObject({
        actor: 'lin',
        action: 'event.accept',
        orderId: order.id,
        notificationEventId: event?.id,
        detail: { reason: operator.reason, holdReason: reason, trade: 'T', amount: `${amount}` },
      });
      const [fact] = order.facts.filter(({ kind }) => kind === 'operator');
      expect(fact).toMatchObject({ auditId: audit?.id, trade: 'T', amount });
      expect(order.facts.map(({ kind }) => kind)).not.toContain('paid');
      expect((await toldEvents(deps, 'A1'))[0]).toBe('order.paid paid@1');
      expect(await deps.prisma.notification.count({ where: { status: 'held' } })).toBe(0);
    },
  );

  test.each([
    'unknown_order',
    'currency_mismatch',
    'trade_on_other_order',
    'unsupported_event',
    'internal_error',
  ] as const)('%s has no meaning: refused, nothing is changed', async (reason) => {
    const deps = await heldDatabase(reason);
    const refused = { result: 'refused', why: reason };
    expect(await acceptHeldEvent(deps, await command(deps))).toEqual(refused);
    expect(await auditRows(deps)).toEqual([]);
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'pending', facts: [] });
    expect(await deps.prisma.notification.count({ where: { status: 'held' } })).toBe(1);
  });

  test.each([
    ['unknown_order', payment('unknown', 'T', { payeeMatches: false })],
    ['unknown_order', unsigned('unknown', 'T', 100n)],
    ['currency_mismatch', payment('A1', 'T', { payeeMatches: false, currency: 'USD' })],
    ['trade_on_other_order', payment('A1', 'taken', { payeeMatches: false })],
    ['trade_on_other_order', unsigned('A1', 'taken', 100n)],
  ] as const)('what is left after it is overruled still counts: %s', async (why, event) => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    await registerOrder(deps, terms('other'));
    const rail = event.rail;
    await apply(
      deps,
      notification(statement('other', 'taken', [{ ...paid('taken'), rail } as Fact], { rail })),
    );
    await apply(deps, notification(event));
    expect(await acceptHeldEvent(deps, await command(deps))).toEqual({ result: 'refused', why });
    expect(await orderRow(deps, 'A1')).toMatchObject({ facts: [], trades: [], version: 0 });
    expect(await auditRows(deps)).toEqual([]);
  });

  test('other content under a known ID that changes no order: refused', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    const same = { notificationId: 'same' };
    await apply(deps, notification(payment('A1', 'T'), same));
    await apply(deps, notification({ kind: 'nothing', orderNumber: 'A1', says: 'X' }, same));
    const outcome = await acceptHeldEvent(deps, await command(deps));
    expect(outcome).toEqual({ result: 'refused', why: 'nothing_said' });
  });

  test("another amount than the event's is not accepted", async () => {
    const deps = await heldDatabase('amount_mismatch');
    const one = await command(deps);
    const other = await acceptHeldEvent(deps, { ...one, amount: 8888n });
    expect(other).toEqual({ result: 'other_amount', amount: 1n });
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'pending', facts: [] });
    expect(await acceptHeldEvent(deps, { ...one, amount: 1n })).toMatchObject({ result: 'done' });
  });

  test('an amount that differs from the one due must be named, unless it is the reason of the hold', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    const facts = [paid('T', minute(1), 1n)];
    await apply(
      deps,
      notification(statement('A1', 'T', facts, { amount: 1n, payeeMatches: false })),
    );
    const one = await command(deps);
    expect(await acceptHeldEvent(deps, one)).toEqual({ result: 'other_amount', amount: 1n });
    expect(await auditRows(deps)).toEqual([]);
    expect(await acceptHeldEvent(deps, { ...one, amount: 1n })).toMatchObject({ result: 'done' });
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'paid', paidAmount: 1n });
  });

  test('an unsigned refund of a known payment: the refund is applied, the payment is not repeated', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    const [payed] = refundOf('W', 0n);
    await apply(deps, notification(statement('A1', 'W', payed ? [payed] : [], { rail: 'wechat' })));
    await apply(deps, notification(unsigned('A1', 'W', 100n)));
    await acceptHeldEvent(deps, await command(deps));
    const { facts, ...order } = await orderRow(deps, 'A1');
    expect(order).toMatchObject({ status: 'partially_refunded', refundedAmount: 100n });
    expect(facts.map(({ kind }) => kind).sort()).toEqual(['paid', 'refund']);
  });

  test('later notices of an accepted trade: their refunds are accepted the same way, and add up', async () => {
    const deps = await heldDatabase('amount_mismatch');
    await acceptHeldEvent(deps, await command(deps));
    const facts = [paid('T', minute(1), 1n), refundTotal('T', 1n)];
    expect(await apply(deps, notification(statement('A1', 'T', facts, { amount: 1n })))).toEqual([
      ['amount_mismatch'],
    ]);
    await acceptHeldEvent(deps, await command(deps));
    expect(await orderRow(deps, 'A1')).toMatchObject({
      status: 'refunded',
      paidAmount: 1n,
      refundedAmount: 1n,
      attention: [],
    });
    expect(await deps.prisma.fact.count({ where: { kind: 'operator' } })).toBe(1);
  });

  test('one sub-order of a combined order leaves the others as they are', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    const notice = notification([
      payment('A1', 'T1', { payeeMatches: false }),
      payment('A2', 'T2', { payeeMatches: false }),
    ]);
    await apply(deps, notice);
    await acceptHeldEvent(deps, await command(deps));
    expect(await notificationRow(deps, notice)).toMatchObject({
      status: 'held',
      events: [{ outcome: 'applied' }, { outcome: 'held', holdReason: 'merchant_mismatch' }],
    });
  });
});

test('events stored by a previous release without a shape are refused, not guessed', async () => {
  const deps = await testDatabase();
  await registerOrder(deps, terms('A1'));
  const event = { ...payment('A1'), payeeMatches: false };
  await apply(deps, notification(event));
  await deps.prisma.notificationEvent.updateMany({ data: { event: { kind: 'order', old: true } } });
  const outcome = await acceptHeldEvent(deps, await command(deps));
  expect(outcome).toEqual({ result: 'refused', why: 'unsupported_event' });
});
