/**
 * Two batches with the same rows in opposite order. A lock from another session stops them halfway
 * and then releases them. Without a common order of locks they would now wait for each other.
 */
import { createLog } from '@payonce/core/runtime/log';
import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import { registerOrder } from '@payonce/orders/registration/register';
import { expect, test } from 'vitest';
import {
  apply,
  notification,
  payment,
  type TestDatabase,
  terms,
  testDatabase,
} from './database-support.js';
import { holdLock, waiting } from './interleaving.js';

const PLACES = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const MIDDLE = 4;
const all = (outcome: string) => PLACES.map(() => outcome);

async function withOrders(...prefixes: string[]): Promise<TestDatabase> {
  const deps = await testDatabase();
  for (const prefix of prefixes) {
    for (const place of PLACES) await registerOrder(deps, terms(`${prefix}${place}`));
  }
  return deps;
}

async function meetHalfway(
  deps: TestDatabase,
  lock: string,
  one: readonly VerifiedNotification[],
  other: readonly VerifiedNotification[],
) {
  const lines: string[] = [];
  const log = createLog({ name: 'test' }, { write: (line) => lines.push(line) });
  const letGo = await holdLock(deps, lock);
  const both = [one, [...other].reverse()].map((batch) =>
    applyNotifications({ ...deps, log }, batch),
  );
  await waiting(deps, 2);
  await letGo();
  const outcomes = await Promise.all(both);
  // A deadlock is retried, and leaves a log line.
  expect(lines).toEqual([]);
  return outcomes.map((list) => list.map(({ events }) => events[0]?.outcome));
}

const batchOf = (prefix: string, id: string) =>
  PLACES.map((place) =>
    notification(payment(`${prefix}${place}`, `T${place}`), { notificationId: `${id}${place}` }),
  );

test('notifications are stored in one order', async () => {
  const deps = await withOrders('A');
  const batch = batchOf('A', 'N');
  const lock = `INSERT INTO notifications (provider, channel, merchant, notification_id, digest,
      authenticity, received_at, body, headers, status, created_at)
    VALUES ('alipay', 'shop-alipay', 'default', 'N${MIDDLE}', repeat('0', 64), 'signed', now(), '',
      '{}', 'held', now())`;
  expect(await meetHalfway(deps, lock, batch, batch)).toEqual([all('applied'), all('applied')]);
  expect(await deps.prisma.fact.count()).toBe(PLACES.length);
});

test('stored notifications are locked in one order', async () => {
  const deps = await testDatabase();
  const batch = batchOf('unknown', 'N');
  await applyNotifications(deps, batch);
  const lock = `SELECT 1 FROM notifications WHERE notification_id = 'N${MIDDLE}' FOR UPDATE`;
  expect(await meetHalfway(deps, lock, batch, batch)).toEqual([all('held'), all('held')]);
});

test('orders are locked in one order', async () => {
  const deps = await withOrders('A');
  const lock = `SELECT 1 FROM orders WHERE number = 'A${MIDDLE}' FOR UPDATE`;
  const outcomes = await meetHalfway(deps, lock, batchOf('A', 'N'), batchOf('A', 'M'));
  expect(outcomes.sort()).toEqual([all('applied'), all('duplicate')]);
});

test('trades are claimed in one order', async () => {
  const deps = await withOrders('A', 'B', 'C');
  const lock = `INSERT INTO trades (rail, trade, order_id, created_at)
    SELECT 'alipay', 'T${MIDDLE}', id, now() FROM orders WHERE number = 'C0'`;
  const outcomes = await meetHalfway(deps, lock, batchOf('A', 'N'), batchOf('B', 'M'));
  expect(outcomes.sort()).toEqual([all('applied'), all('held')]);
});

test('trades of another merchant are claimed in one order', async () => {
  const deps = await withOrders('A', 'B', 'C');
  const others = PLACES.map((place) => ({ ...terms(`H${place}`), merchant: 'other' }));
  for (const one of others) await registerOrder(deps, one);
  const first = PLACES.map((place) =>
    notification(payment(`H${place}`, `T${place}`), { merchant: 'other', channel: 'other' }),
  );
  await applyNotifications(deps, first);
  const lock = `INSERT INTO trade_claims (rail, trade, merchant, order_id, created_at)
    SELECT 'alipay', 'T${MIDDLE}', 'default', id, now() FROM orders WHERE number = 'C0'`;
  const outcomes = await meetHalfway(deps, lock, batchOf('A', 'N'), batchOf('B', 'M'));
  expect(outcomes.sort()).toEqual([all('applied'), all('held')]);
});

test('a transaction that waits for a number under registration has no order locked yet', async () => {
  const deps = await withOrders('A');
  const letGo = await holdLock(
    deps,
    `INSERT INTO orders (merchant, number, amount, currency, created_at, updated_at)
      VALUES ('default', 'new', 8888, 'CNY', now(), now())`,
  );
  const registered = registerOrder(deps, terms('new'));
  await waiting(deps, 1);
  const applied = apply(deps, notification([payment('A0'), payment('new')]));
  await waiting(deps, 2);
  const free = await deps.prisma.$queryRaw`
    SELECT number FROM orders WHERE number = 'A0' FOR UPDATE SKIP LOCKED`;
  expect(free).toEqual([{ number: 'A0' }]);
  await letGo();
  expect(await registered).toMatchObject({ outcome: 'registered' });
  expect(await applied).toEqual([['applied', 'applied']]);
});
