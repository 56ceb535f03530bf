import { HOLD_REASONS } from '@payonce/orders/database/hold-reason';
import { readMessage } from '@payonce/orders/deliveries/messages';
import { applyAll } from '@payonce/orders/notifications/apply/apply-in-parts';
import { rejectHeldEvent, retryEvent } from '@payonce/orders/notifications/held/operator';
import { retryHeld } from '@payonce/orders/notifications/held/retry-held';
import { registerOrder } from '@payonce/orders/registration/register';
import { describe, expect, test } from 'vitest';
import {
  apply,
  minute,
  notification,
  paid,
  payment,
  statement,
  type TestDatabase,
  terms,
  testDatabase,
} from './database-support.js';
import { command, heldDatabase } from './held.js';

const told = (deps: TestDatabase) =>
  deps.prisma.orderEvent.findMany({
    where: { type: { startsWith: 'notification.' } },
    orderBy: { id: 'asc' },
  });

describe("the merchant's system receives an event for a held notification", () => {
  test.each(HOLD_REASONS.filter((reason) => reason !== 'internal_error'))(
    '%s: what it says of money, and nothing of the payer',
    async (reason) => {
      const deps = await heldDatabase(reason);
      const [event, ...more] = await told(deps);
      expect(more).toEqual([]);
      const type =
        reason === 'unsupported_event' ? 'notification.unsupported' : 'notification.held';
      expect(event).toMatchObject({ type, milestone: reason, orderId: null, fannedOutAt: null });
      if (event === undefined) throw new Error('not told');
      const row = await deps.prisma.notification.findFirstOrThrow({ where: { status: 'held' } });
      expect(readMessage(event)?.data).toMatchObject({
        reason,
        notification: row.id.toString(),
        notificationId: row.notificationId,
        channel: 'shop-alipay',
        position: 0,
      });
    },
  );

  test('once, however many copies, retries and runs of the schedule follow', async () => {
    const deps = await testDatabase();
    const notice = notification(payment('A1'));
    await apply(deps, notice, notice);
    await apply(deps, notice);
    await retryEvent(deps, await command(deps));
    deps.now = minute(10);
    expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 0 });
    const [event, ...more] = await told(deps);
    expect(more).toEqual([]);
    expect(event?.payload).toMatchObject({ orderNumber: 'A1', amount: '8888', currency: 'CNY' });
  });

  test('again, when it is held for another reason', async () => {
    const deps = await testDatabase();
    await apply(
      deps,
      notification(statement('A1', 'T', [paid('T', minute(1), 1n)], { amount: 1n })),
    );
    await registerOrder(deps, terms('A1'));
    expect((await told(deps)).map((event) => event.milestone)).toEqual([
      'unknown_order',
      'amount_mismatch',
    ]);
  });

  test('for each part of a combined order, and not for an applied one', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    await apply(deps, notification([payment('A1'), payment('A2'), payment('A3')]));
    const positions = (await told(deps)).map(({ payload }) => payload);
    expect(positions).toMatchObject([
      { position: 1, orderNumber: 'A2' },
      { position: 2, orderNumber: 'A3' },
    ]);
  });

  test('not for a rejection by an operator', async () => {
    const deps = await heldDatabase('amount_mismatch');
    await rejectHeldEvent(deps, await command(deps));
    expect(await told(deps)).toHaveLength(1);
  });

  test('also for one that cannot be stored unchanged', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    for (const trade of ['T\0', 'T\ud800']) {
      const hostile = statement('A1', trade, [paid(trade, minute(1), 1n)], { amount: 1n });
      await applyAll(deps, [notification({ ...hostile, orderNumber: `A1${trade}` })]);
    }
    await applyAll(deps, [notification(payment('A1', 'U\0'))]);
    const events = await told(deps);
    expect(events).toHaveLength(3);
    for (const event of events) expect(readMessage(event)).not.toBeNull();
    expect(events[2]).toMatchObject({ milestone: 'internal_error', payload: { trade: null } });
  });
});
