import { HOLD_REASONS } from '@payonce/orders/database/hold-reason';
import {
  acceptHeldEvent,
  rejectHeldEvent,
  retryEvent,
} from '@payonce/orders/notifications/held/operator';
import { registerOrder } from '@payonce/orders/registration/register';
import { describe, expect, test } from 'vitest';
import { apply, notification, orderRow, payment, terms, testDatabase } from './database-support.js';
import { auditRows, command, heldDatabase, operator } from './held.js';

describe('rejecting', () => {
  test.each(HOLD_REASONS)('%s: ignored, kept, and named in the audit log', async (reason) => {
    const deps = await heldDatabase(reason);
    const one = await command(deps);
    expect(await rejectHeldEvent(deps, one)).toMatchObject({ outcome: 'ignored' });
    const row = await deps.prisma.notification.findUniqueOrThrow({
      where: { id: one.notification },
      include: { events: true },
    });
    expect(row).toMatchObject({
      status: 'ignored',
      events: [{ outcome: 'ignored', holdReason: null, nextRetryAt: null }],
    });
    expect(row.body.length).toBeGreaterThan(0);
    expect(await auditRows(deps)).toMatchObject([
      { actor: 'lin', action: 'event.reject', detail: { holdReason: reason } },
    ]);
    expect(await orderRow(deps, 'A1')).toMatchObject({ facts: [], version: 0 });
  });

  test('a rejected event is not revived by a copy or by registering its order', async () => {
    const deps = await testDatabase();
    const notice = notification(payment('A1'));
    await apply(deps, notice);
    await rejectHeldEvent(deps, await command(deps));
    expect(await registerOrder(deps, terms('A1'))).toMatchObject({ released: 0 });
    expect(await apply(deps, notice)).toEqual([['ignored']]);
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'pending' });
  });
});

describe('retrying', () => {
  test('decides the hold again: applied, once the missing part exists', async () => {
    const deps = await testDatabase();
    await apply(deps, notification(payment('A1')));
    const one = await command(deps);
    const held = { outcome: 'held', reason: 'unknown_order' };
    expect(await retryEvent(deps, one)).toMatchObject({ result: 'done', ...held });
    await deps.prisma.$executeRaw`INSERT INTO orders
      (merchant, number, amount, currency, created_at, updated_at)
      VALUES ('default', 'A1', 8888, 'CNY', now(), now())`;
    expect(await retryEvent(deps, one)).toMatchObject({ outcome: 'applied' });
    const order = await orderRow(deps, 'A1');
    expect(order).toMatchObject({ status: 'paid', facts: [{ kind: 'paid' }] });
    expect(await auditRows(deps)).toMatchObject([
      { action: 'event.retry', orderId: null, detail: { outcome: held } },
      { action: 'event.retry', orderId: order.id, detail: { outcome: { outcome: 'applied' } } },
    ]);
  });

  test.each(HOLD_REASONS.filter((reason) => reason !== 'internal_error'))(
    '%s that nothing has cured stays held',
    async (reason) => {
      const deps = await heldDatabase(reason);
      expect(await retryEvent(deps, await command(deps))).toMatchObject({
        outcome: 'held',
        reason,
      });
      expect(await auditRows(deps)).toMatchObject([{ action: 'event.retry' }]);
    },
  );

  test('an event that still makes the transaction fail is held as internal_error, and the retry is recorded', async () => {
    const deps = await testDatabase();
    await apply(deps, notification(payment('A1')));
    await deps.prisma.$executeRaw`INSERT INTO orders
      (merchant, number, amount, currency, created_at, updated_at)
      VALUES ('default', 'A1', 8888, 'CNY', now(), now())`;
    await deps.prisma
      .$executeRaw`ALTER TABLE order_events ADD CONSTRAINT broken CHECK (version < 0)`;
    const one = await command(deps);
    const held = { outcome: 'held', reason: 'internal_error' };
    expect(await retryEvent(deps, one)).toMatchObject(held);
    expect(await auditRows(deps)).toMatchObject([{ detail: { outcome: held } }]);
    await deps.prisma.$executeRaw`ALTER TABLE order_events DROP CONSTRAINT broken`;
    expect(await retryEvent(deps, one)).toMatchObject({ outcome: 'applied' });
  });
});

describe('an event that is not held', () => {
  const actions = { accept: acceptHeldEvent, reject: rejectHeldEvent, retry: retryEvent };

  test.each(Object.keys(actions) as (keyof typeof actions)[])(
    'cannot be changed by %s: a decision is final',
    async (name) => {
      const deps = await testDatabase();
      await registerOrder(deps, terms('A1'));
      await apply(deps, notification(payment('A1')));
      const row = await deps.prisma.notification.findFirstOrThrow();
      const one = { ...operator, notification: row.id, position: 0 };
      expect(await actions[name](deps, one)).toEqual({
        result: 'not_held',
        outcome: 'applied',
      });
      const nowhere = { result: 'unknown_event' };
      expect(await actions[name](deps, { ...one, position: 1 })).toEqual(nowhere);
      expect(await actions[name](deps, { ...one, notification: 999n })).toEqual(nowhere);
      expect(await auditRows(deps)).toEqual([]);
    },
  );

  test('because the same was done before: the same answer, done once', async () => {
    for (const action of [acceptHeldEvent, rejectHeldEvent]) {
      const deps = await heldDatabase('amount_mismatch');
      const one = await command(deps);
      const first = await action(deps, one);
      expect(await action(deps, one)).toEqual({ ...first, again: true });
      expect(await auditRows(deps)).toHaveLength(1);
      const other = action === acceptHeldEvent ? rejectHeldEvent : acceptHeldEvent;
      expect(await other(deps, one)).toMatchObject({ result: 'not_held' });
    }
  });
});
