/**
 * Rows that other transactions have locked delay nothing else, and stay unchanged until they are
 * free.
 */
import { isLocked } from '@payonce/core/runtime/errors';
import { isTooSlow } from '@payonce/orders/database/transaction';
import { fanOut } from '@payonce/orders/deliveries/fan-out';
import {
  type ApplyDeps,
  applyNotifications,
  applySkippingLocked,
} from '@payonce/orders/notifications/apply/apply';
import { applyAll } from '@payonce/orders/notifications/apply/apply-in-parts';
import { retryHeld } from '@payonce/orders/notifications/held/retry-held';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import { closeOrder, registerOrders } from '@payonce/orders/registration/register';
import { expect, test } from 'vitest';
import {
  minute,
  notification,
  orderRow,
  payment,
  type TestDatabase,
  terms,
  testDatabase,
} from './database-support.js';
import { deliveryDatabase, makeEndpoint } from './deliveries.js';
import { holdLock, numberLock } from './interleaving.js';

/** The limit for the free ones of a batch, whatever is locked. */
const LIMIT_MS = 3_000;

async function withOrders(...numbers: string[]): Promise<TestDatabase> {
  const deps = await testDatabase();
  if (numbers.length > 0)
    await registerOrders(
      deps,
      numbers.map((number) => terms(number)),
    );
  return deps;
}

const rowLock = (number: string) => `SELECT FROM orders WHERE number = '${number}' FOR UPDATE`;

/** Per notification its first event's outcome, or null: it was skipped. */
async function applyWhatIsFree(deps: TestDatabase, ...batch: VerifiedNotification[]) {
  const outcomes = await applySkippingLocked(deps, batch, 300);
  return outcomes.map((one) => one?.events.map(({ outcome }) => outcome).join() ?? null);
}

/** The same for `applyAll`, and how long it took. */
async function applyInTime(deps: ApplyDeps, batch: readonly VerifiedNotification[]) {
  const start = performance.now();
  const results = await applyAll(deps, batch);
  const ms = performance.now() - start;
  const outcomes = results.map((result) => {
    if (result.status === 'fulfilled') return result.value.events[0]?.outcome;
    return isLocked(result.reason) ? 'locked' : result.reason;
  });
  return { outcomes, ms };
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `A${index}`);
const paymentsOf = (all: readonly string[]) => all.map((number) => notification(payment(number)));

test('a locked order is skipped, never taken for a missing one; the others of its batch are applied', async () => {
  const deps = await withOrders('A', 'B', 'C');
  const letGo = await holdLock(deps, rowLock('B'));
  const batch = paymentsOf(['A', 'B', 'C', 'unknown']);
  expect(await applyWhatIsFree(deps, ...batch)).toEqual(['applied', null, 'applied', 'held']);
  expect(await deps.prisma.notification.count()).toBe(3);
  expect(await orderRow(deps, 'B')).toMatchObject({ status: 'pending', facts: [], trades: [] });
  await letGo();
  expect(await applyWhatIsFree(deps, ...batch)).toEqual(['applied', 'applied', 'applied', 'held']);
  expect(await deps.prisma.notification.aggregate({ _sum: { copies: true } })).toEqual({
    _sum: { copies: 3 },
  });
});

test('a notification of several orders is skipped completely when one of them is locked', async () => {
  const deps = await withOrders('A', 'B');
  const letGo = await holdLock(deps, rowLock('B'));
  const both = notification([payment('A'), payment('B')]);
  expect(await applyWhatIsFree(deps, both)).toEqual([null]);
  expect(await deps.prisma.notification.count()).toBe(0);
  expect(await deps.prisma.trade.count()).toBe(0);
  await letGo();
  expect(await applyWhatIsFree(deps, both)).toEqual(['applied,applied']);
});

test('all contents under one notification ID are skipped together, so that the first stays the first', async () => {
  const deps = await withOrders('A', 'B');
  const letGo = await holdLock(deps, rowLock('A'));
  const [first, second] = ['A', 'B'].map((number) =>
    notification(payment(number), { notificationId: 'one' }),
  );
  if (!first || !second) throw new Error('there are two');
  expect(await applyWhatIsFree(deps, first, second)).toEqual([null, null]);
  expect(await deps.prisma.notification.count()).toBe(0);
  await letGo();
  expect(await applyWhatIsFree(deps, first, second)).toEqual(['applied', 'held']);
});

test('a locked number is skipped while it is unknown whether its order will exist', async () => {
  const deps = await withOrders('A', 'B');
  const letGo = await holdLock(deps, numberLock('new'));
  const batch = paymentsOf(['A', 'new', 'B']);
  expect(await applyWhatIsFree(deps, ...batch)).toEqual(['applied', null, 'applied']);
  await letGo();
  expect(await applyWhatIsFree(deps, ...batch)).toEqual(['applied', 'held', 'applied']);
});

test('a lock on the number of an existing order delays nothing', async () => {
  const deps = await withOrders('A', 'B');
  await holdLock(deps, numberLock('A'));
  expect(await applyWhatIsFree(deps, ...paymentsOf(['A', 'B']))).toEqual(['applied', 'applied']);
});

test('copies of a notification with a locked row are skipped, and counted once it is free', async () => {
  const deps = await withOrders('A', 'B');
  const known = notification(payment('A'));
  await applyNotifications(deps, [known]);
  const letGo = await holdLock(deps, 'SELECT FROM notifications FOR UPDATE');
  expect(await applyWhatIsFree(deps, known, ...paymentsOf(['B']))).toEqual([null, 'applied']);
  await letGo();
  expect(await applyWhatIsFree(deps, known)).toEqual(['applied']);
  const row = await deps.prisma.notification.findFirst({ orderBy: { id: 'asc' } });
  expect(row).toMatchObject({ copies: 1 });
});

test('another session’s insert of the same notification delays none of its batch', async () => {
  const all = numbers(100);
  const deps = await withOrders(...all);
  const batch = paymentsOf(all);
  const { notificationId = '' } = batch[61] ?? {};
  const letGo = await holdLock(
    deps,
    `INSERT INTO notifications (provider, channel, merchant, notification_id, digest,
        authenticity, received_at, body, headers, status, created_at)
      VALUES ('alipay', 'shop-alipay', 'default', '${notificationId}', repeat('0', 64), 'signed',
        now(), '', '{}', 'held', now())`,
  );
  const { outcomes, ms } = await applyInTime(deps, batch);
  expect(outcomes).toEqual(all.map((_, index) => (index === 61 ? 'locked' : 'applied')));
  expect(ms).toBeLessThan(LIMIT_MS);
  await letGo();
  expect((await applyInTime(deps, batch)).outcomes).toEqual(all.map(() => 'applied'));
});

test('another session’s claim of the same trade delays none of its batch', async () => {
  const all = numbers(50);
  const deps = await withOrders('other', ...all);
  const letGo = await holdLock(
    deps,
    `INSERT INTO trades (rail, trade, order_id, created_at)
      SELECT 'alipay', 'T-A7', id, now() FROM orders WHERE number = 'other'`,
  );
  const { outcomes, ms } = await applyInTime(deps, paymentsOf(all));
  expect(outcomes).toEqual(all.map((_, index) => (index === 7 ? 'locked' : 'applied')));
  expect(ms).toBeLessThan(LIMIT_MS);
  await letGo();
});

const full = process.env.PAYONCE_TEST_FULL === '1';
const tables = full
  ? ['notifications', 'orders', 'trades', 'facts', 'order_events', 'notification_events']
  : ['notifications', 'facts'];

test('a locked endpoint keeps no payment from its order: the deliveries are created later', async () => {
  const deps = await deliveryDatabase();
  const all = numbers(10);
  await registerOrders(
    deps,
    all.map((number) => terms(number)),
  );
  await makeEndpoint(deps);
  const letGo = await holdLock(deps, 'SELECT FROM webhook_endpoints FOR UPDATE');
  const batch = paymentsOf(all);
  for (const some of [batch.slice(0, 9), batch.slice(9)]) {
    const { outcomes, ms } = await applyInTime({ ...deps, fansOut: () => true }, some);
    expect(outcomes).toEqual(some.map(() => 'applied'));
    expect(ms).toBeLessThan(LIMIT_MS);
  }
  expect(await deps.prisma.delivery.count()).toBe(0);
  await letGo();
  await fanOut(deps, 100);
  expect(await deps.prisma.delivery.count()).toBe(10);
});

test.each(tables)(
  'while the table %s is locked a batch is skipped in time, completely, and is applied afterwards',
  async (table) => {
    const all = numbers(200);
    const deps = await withOrders(...all);
    const batch = paymentsOf(all);
    const letGo = await holdLock(deps, `LOCK TABLE ${table}`);
    const { outcomes, ms } = await applyInTime(deps, batch);
    expect(outcomes).toEqual(all.map(() => 'locked'));
    expect(ms).toBeLessThan(LIMIT_MS);
    await letGo();
    expect((await applyInTime(deps, batch)).outcomes).toEqual(all.map(() => 'applied'));
  },
);

test('a poisonous notification is found among others while one is locked', async () => {
  const all = numbers(20);
  const deps = await withOrders(...all);
  await holdLock(deps, rowLock('A3'));
  const batch = paymentsOf(all);
  const poison = batch[11];
  if (poison) batch[11] = { ...poison, notificationId: 'a\0b' };
  const { outcomes } = await applyInTime(deps, batch);
  expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(18);
  expect(outcomes[3]).toBe('locked');
});

test('the schedule decides free events, and locked ones a little later', async () => {
  const deps = await testDatabase();
  await applyNotifications(deps, paymentsOf(['A', 'B']));
  for (const number of ['A', 'B']) {
    await deps.prisma.$executeRaw`INSERT INTO orders
      (merchant, number, amount, currency, created_at, updated_at)
      VALUES ('default', ${number}, 8888, 'CNY', now(), now())`;
  }
  const letGo = await holdLock(deps, rowLock('A'));
  deps.now = minute(1);
  expect(await retryHeld(deps, 10)).toEqual({ looked: 2, released: 1 });
  expect(await orderRow(deps, 'B')).toMatchObject({ status: 'paid' });
  expect(await retryHeld(deps, 10)).toEqual({ looked: 0, released: 0 });
  await letGo();
  deps.now = new Date(minute(1).getTime() + 15_000);
  expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 1 });
  const events = await deps.prisma.notificationEvent.findMany();
  expect(events.map(({ tries }) => tries)).toEqual([1, 1]);
});

test('a wait for a lock lasts two seconds, and PostgreSQL ends it', async () => {
  const deps = await withOrders('A');
  await holdLock(deps, rowLock('A'));
  const start = performance.now();
  const error = await closeOrder(deps, terms('A')).catch((reason: unknown) => reason);
  expect(isTooSlow(error)).toBe(true);
  expect(performance.now() - start).toBeGreaterThan(1_900);
  expect(performance.now() - start).toBeLessThan(4_000);
  expect(await waitingForLocks(deps)).toBe(0);
});

test('a statement outside of a transaction that waits for a lock is ended by PostgreSQL too', async () => {
  const deps = await withOrders('A');
  const letGo = await holdLock(deps, 'LOCK TABLE orders');
  const asked = [
    () => deps.prisma.order.findMany(),
    () => deps.prisma.$queryRaw`SELECT number FROM orders`,
    () => deps.prisma.order.update({ where: { id: 1n }, data: { version: 9 } }),
  ];
  const start = performance.now();
  const answers = await Promise.allSettled(asked.map((ask) => ask()));
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(performance.now() - start).toBeLessThan(4_000);
  expect(await waitingForLocks(deps)).toBe(0);
  await letGo();
  expect(await deps.prisma.order.findMany()).toMatchObject([{ number: 'A', version: 0 }]);
});

async function waitingForLocks({ prisma }: TestDatabase): Promise<number> {
  const [row] = await prisma.$queryRaw<{ n: number }[]>`
    SELECT count(*)::int AS n FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return row?.n ?? -1;
}
