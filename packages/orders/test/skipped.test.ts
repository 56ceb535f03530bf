/**
 * A registration skips held notifications that another transaction has locked. That transaction
 * applies the event, or the event is due at once.
 */
import { applyNotifications, applySkippingLocked } from '@payonce/orders/notifications/apply/apply';
import { retryEvent } from '@payonce/orders/notifications/held/operator';
import { alertOverdue } from '@payonce/orders/notifications/held/overdue';
import { retryHeld } from '@payonce/orders/notifications/held/retry-held';
import { registerOrder } from '@payonce/orders/registration/register';
import { describe, expect, test } from 'vitest';
import {
  minute,
  notification,
  notificationRow,
  orderRow,
  payment,
  type TestDatabase,
  terms,
  testDatabase,
} from './database-support.js';
import { holdLock, numberLock, waiting } from './interleaving.js';

const DAY_MS = 86_400_000;
const INSERT = `INSERT INTO orders (merchant, number, amount, currency, created_at, updated_at)
  VALUES`;

/** The event for the order `new` is held; the schedule would look days later. */
async function withHeld() {
  const deps = await testDatabase();
  await registerOrder(deps, terms('busy'));
  const notice = notification([payment('new'), payment('first', 'T2')]);
  await applyNotifications(deps, [notice]);
  const { id } = await notificationRow(deps, notice);
  await deps.prisma.notificationEvent.updateMany({
    data: { nextRetryAt: new Date(deps.now.getTime() + DAY_MS) },
  });
  deps.now = minute(1);
  return { deps, notice, notification: id };
}

const isPaid = async (deps: TestDatabase) => (await orderRow(deps, 'new')).status === 'paid';
const operator = { actor: 'lin', reason: 'asked' };

describe('the other transaction locks the notification first', () => {
  test.each(['FOR UPDATE', 'FOR NO KEY UPDATE'])(
    'and decides nothing (%s): the event is due at once',
    async (strength) => {
      const { deps } = await withHeld();
      const letGo = await holdLock(deps, `SELECT FROM notifications ${strength}`);
      expect(await registerOrder(deps, terms('new'))).toMatchObject({ released: 0 });
      await letGo();
      expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 1 });
      expect(await isPaid(deps)).toBe(true);
    },
  );

  test('a batch with a copy looks for the order afterwards, and applies the event', async () => {
    const { deps, notice } = await withHeld();
    // Numbers are locked in one order, and this one comes before `new`.
    const letGo = await holdLock(deps, numberLock('first'));
    const applied = applyNotifications(deps, [notice]);
    await waiting(deps, 1);
    expect(await registerOrder(deps, terms('new'))).toMatchObject({ released: 0 });
    await letGo();
    expect(await applied).toMatchObject([
      { events: [{ outcome: 'applied' }, { outcome: 'held' }] },
    ]);
    expect(await isPaid(deps)).toBe(true);
  });

  test('a registration of the notification’s other order leaves the event due at once', async () => {
    const { deps } = await withHeld();
    const letGo = await holdLock(
      deps,
      `INSERT INTO trades (rail, trade, order_id, created_at)
        SELECT 'alipay', 'T2', id, now() FROM orders WHERE number = 'busy'`,
    );
    const other = registerOrder(deps, terms('first'));
    await waiting(deps, 1);
    expect(await registerOrder(deps, terms('new'))).toMatchObject({ released: 0 });
    await letGo();
    expect(await other).toMatchObject({ released: 1 });
    expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 1 });
    expect(await isPaid(deps)).toBe(true);
  });

  test('an operator’s retry of its other event leaves the event due at once', async () => {
    const { deps, notification } = await withHeld();
    await deps.prisma.$executeRawUnsafe(
      `${INSERT} ('default', 'first', 8888, 'CNY', now(), now())`,
    );
    const letGo = await holdLock(deps, `SELECT FROM orders WHERE number = 'first' FOR UPDATE`);
    const retried = retryEvent(deps, { notification, position: 1, ...operator });
    await waiting(deps, 1);
    expect(await registerOrder(deps, terms('new'))).toMatchObject({ released: 0 });
    await letGo();
    expect(await retried).toMatchObject({ outcome: 'applied' });
    expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 1 });
    expect(await isPaid(deps)).toBe(true);
  });

  test('an alert that has the event itself locked makes it due', async () => {
    const { deps } = await withHeld();
    const letGo = await holdLock(deps, 'SELECT FROM notification_events FOR UPDATE');
    const alerted = alertOverdue(deps, 0);
    await waiting(deps, 1);
    expect(await registerOrder(deps, terms('new'))).toMatchObject({ released: 0 });
    await letGo();
    await alerted;
    expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 1 });
    expect(await isPaid(deps)).toBe(true);
  });
});

test('a registration does not wait for another order of its held notification', async () => {
  const deps = await testDatabase();
  await registerOrder(deps, terms('busy'));
  await applyNotifications(deps, [notification([payment('new'), payment('busy', 'T2')])]);
  await holdLock(deps, `SELECT FROM orders WHERE number = 'busy' FOR UPDATE`);
  expect(await registerOrder(deps, terms('new'))).toMatchObject({ released: 1 });
});

describe('the registration has the number first', () => {
  /** Stops the registration after it has locked the number, before it looks for held events. */
  async function stopped() {
    const held = await withHeld();
    const { deps } = held;
    const letGo = await holdLock(deps, `${INSERT} ('default', 'new', 1, 'CNY', now(), now())`);
    const registered = registerOrder(deps, terms('new'));
    await waiting(deps, 1);
    return { ...held, letGo, registered };
  }

  test.each(['a batch', 'an operator'])('%s waits for it, and applies the event', async (who) => {
    const { deps, notice, notification, letGo, registered } = await stopped();
    const other =
      who === 'a batch'
        ? applyNotifications(deps, [notice])
        : retryEvent(deps, { notification, position: 0, ...operator });
    await waiting(deps, 2);
    await letGo();
    expect(await registered).toMatchObject({ released: 0 });
    await other;
    expect(await isPaid(deps)).toBe(true);
  });

  test.each([
    [
      'a batch that skips',
      (deps: TestDatabase, notice) => applySkippingLocked(deps, [notice], 300),
    ],
    ['the schedule', (deps: TestDatabase) => retryHeld(deps, 10)],
    ['an alert', (deps: TestDatabase) => alertOverdue(deps, 0)],
  ] as const satisfies [
    string,
    (deps: TestDatabase, notice: ReturnType<typeof notification>) => Promise<unknown>,
  ][])('%s leaves the event to the registration', async (_who, run) => {
    const { deps, notice, letGo, registered } = await stopped();
    await deps.prisma.notificationEvent.updateMany({ data: { nextRetryAt: deps.now } });
    await run(deps, notice);
    await letGo();
    expect(await registered).toMatchObject({ released: 1 });
    expect(await isPaid(deps)).toBe(true);
  });
});
