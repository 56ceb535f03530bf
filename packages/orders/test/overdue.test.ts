import { createLog } from '@payonce/core/runtime/log';
import { alertOverdue, countHeld, countOverdue } from '@payonce/orders/notifications/held/overdue';
import { retryHeld } from '@payonce/orders/notifications/held/retry-held';
import { registerOrder } from '@payonce/orders/registration/register';
import { describe, expect, test } from 'vitest';
import {
  apply,
  minute,
  notification,
  notificationRow,
  orderRow,
  payment,
  terms,
  testDatabase,
} from './database-support.js';
import { holdLock } from './interleaving.js';

const HOUR = 60;
const DEADLINE_MS = 25 * 3_600_000;

async function withLog() {
  const lines: string[] = [];
  const log = createLog({ name: 'test' }, { write: (line) => lines.push(line) });
  const deps = Object.assign(await testDatabase(), { log });
  const overdue = () =>
    lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => msg === 'held.overdue');
  return { deps, overdue };
}

describe('an event that waits for its order beyond the deadline', () => {
  test('is logged once, counted, and stays held; registering still releases it', async () => {
    const { deps, overdue } = await withLog();
    const notice = notification(payment('A1'));
    await apply(deps, notice);
    deps.now = minute(25 * HOUR - 1);
    await alertOverdue(deps, DEADLINE_MS);
    expect([overdue(), await countOverdue(deps, DEADLINE_MS)]).toEqual([[], 0]);

    deps.now = minute(25 * HOUR);
    await Promise.all([alertOverdue(deps, DEADLINE_MS), alertOverdue(deps, DEADLINE_MS)]);
    await alertOverdue(deps, DEADLINE_MS);
    expect(overdue()).toMatchObject([
      { level: 'warn', orderNumber: 'A1', merchant: 'default', position: 0 },
    ]);
    expect(await countOverdue(deps, DEADLINE_MS)).toBe(1);
    expect(await notificationRow(deps, notice)).toMatchObject({
      status: 'held',
      events: [{ holdReason: 'unknown_order', alertedAt: deps.now }],
    });

    await registerOrder(deps, terms('A1'));
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'paid' });
    expect(await countOverdue(deps, DEADLINE_MS)).toBe(0);
  });

  test('is still released by the schedule when its order is inserted by other means', async () => {
    const { deps } = await withLog();
    await apply(deps, notification(payment('A1')));
    deps.now = minute(30 * HOUR);
    await alertOverdue(deps, DEADLINE_MS);
    await deps.prisma.$executeRaw`INSERT INTO orders
      (merchant, number, amount, currency, created_at, updated_at)
      VALUES ('default', 'A1', 8888, 'CNY', now(), now())`;
    expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 1 });
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'paid' });
  });

  test('is skipped while its notification is locked, and logged afterwards', async () => {
    const { deps, overdue } = await withLog();
    await apply(deps, notification(payment('A1')));
    deps.now = minute(25 * HOUR);
    const letGo = await holdLock(deps, 'SELECT 1 FROM notifications FOR UPDATE');
    expect(await alertOverdue(deps, DEADLINE_MS)).toBe(false);
    expect(overdue()).toEqual([]);
    await letGo();
    await alertOverdue(deps, DEADLINE_MS);
    expect(overdue()).toHaveLength(1);
  });

  test('is one of many: each is logged once, step by step', async () => {
    const { deps, overdue } = await withLog();
    const many = Array.from({ length: 230 }, (_, n) => notification(payment(`A${n}`)));
    await apply(deps, ...many);
    deps.now = minute(25 * HOUR);
    expect(await alertOverdue(deps, DEADLINE_MS)).toBe(true);
    expect(await alertOverdue(deps, DEADLINE_MS)).toBe(false);
    expect(new Set(overdue().map(({ orderNumber }) => orderNumber)).size).toBe(230);
    expect(overdue()).toHaveLength(230);
  });
});

test('only events that wait for an order have a deadline; all are counted by reason', async () => {
  const { deps, overdue } = await withLog();
  await registerOrder(deps, terms('A1'));
  await apply(
    deps,
    notification(payment('A1', 'T1', { amount: 1n })),
    notification(payment('A1', 'T2', { payeeMatches: false })),
    notification(payment('A1', 'T3', { payeeMatches: false })),
    notification(payment('unknown')),
    notification(payment('A1', 'T4')),
  );
  expect(await countHeld(deps)).toEqual({
    amount_mismatch: 1,
    merchant_mismatch: 2,
    unknown_order: 1,
  });
  deps.now = minute(48 * HOUR);
  await alertOverdue(deps, DEADLINE_MS);
  expect(overdue()).toMatchObject([{ orderNumber: 'unknown' }]);
});
