import type { Fact } from '@payonce/providers/fact';
import { expect, test } from 'vitest';
import type { LockedOrder } from './order.js';
import { type EventFacts, planOrder } from './plan.js';

/** What merchants' systems are told after PostgreSQL went back in time. */

const REWIND = { at: new Date('2026-12-01T12:00:00Z'), versionFloor: 1_000 };
const before = new Date('2026-12-01T11:00:00Z');
const after = new Date('2026-12-01T13:00:00Z');

function order(changes: Partial<LockedOrder> = {}): LockedOrder {
  const terms = { merchant: 'tea', number: 'A1', amount: 100n, currency: 'CNY' };
  return { ...terms, id: 1n, version: 3, createdAt: before, rewind: REWIND, ...changes };
}

function paid(receivedAt: Date | null, trade = 'T1'): EventFacts {
  const fact: Fact = { kind: 'paid', rail: 'alipay', trade, amount: 100n, at: before };
  return { facts: [fact], notificationRowId: 1n, receivedAt };
}

function toldOf(changes: Partial<LockedOrder>, receivedAt: Date | null) {
  const { milestones, version } = planOrder(order(changes), [], [paid(receivedAt)]);
  return { version, replayed: milestones.map(({ replayed }) => replayed) };
}

test('versions go on above the floor, and from then on by one', () => {
  const plan = planOrder(order(), [], [paid(after), paid(after, 'T2')]);
  expect(plan.version).toBe(1_002);
  expect(toldOf({ version: 1_500 }, after).version).toBe(1_501);
  expect(toldOf({ rewind: null }, after).version).toBe(4);
});

test.each<[string, Partial<LockedOrder>, Date | null, boolean]>([
  ['a notification from before the rewind', { version: 1_500 }, before, true],
  ['a twin that arrives after it, as the first change since then', {}, after, true],
  ["an operator's decision as the first change since then", {}, null, true],
  ['a later change', { version: 1_001 }, after, false],
  ['an order that was registered after the rewind', { version: 0, createdAt: after }, after, false],
  ['the same, paid by a notification from before', { version: 0, createdAt: after }, before, true],
  ['any change without a rewind', { rewind: null }, before, false],
])('whether a milestone may be a repetition: %s', (_, changes, receivedAt, replayed) => {
  expect(toldOf(changes, receivedAt).replayed).toEqual([replayed]);
});

test('an event that changes nothing leaves the version as it is', () => {
  const [known] = paid(before).facts;
  if (known === undefined) throw new Error('no fact');
  expect(planOrder(order(), [known], [paid(after)])).toMatchObject({ version: 3, milestones: [] });
});
