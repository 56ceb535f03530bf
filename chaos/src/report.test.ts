import { expect, test } from 'vitest';
import { asJson, asTable, isClean, type Line, WRONGS } from './report.js';

const LINE: Line = {
  fault: 'redis-killed',
  sent: 10,
  acknowledged: 9,
  applied: 9,
  lost: 0,
  doubled: 0,
  falselyAcknowledged: 0,
  forgedAccepted: 0,
  eventsExpected: 12,
  eventsDelivered: 12,
  eventsLost: 0,
  eventsUnsigned: 0,
  eventsOutOfOrder: 0,
  eventsFalse: 0,
  rowsPerContent: 0,
  conflicts: 0,
  deadLetters: 0,
  foreignTradeBlocked: 0,
  evidenceDropped: 0,
  heldUp: 0,
  beganLate: 0,
  orderEventsTwice: 0,
  deliveriesStuck: 0,
  recoverySeconds: 1.25,
};

test('each line is one JSON object with the same names, in whatever order they were set', () => {
  const { fault, ...counts } = LINE;
  const text = asJson([LINE, { ...counts, fault: 'all', recoverySeconds: null }]);
  expect(text.split('\n').map((line) => JSON.parse(line))).toEqual([
    { fault, ...counts },
    { ...LINE, fault: 'all', recoverySeconds: null },
  ]);
  expect(Object.keys(JSON.parse(text.split('\n')[1] ?? ''))[0]).toBe('fault');
});

test('the table shows every line, and a dash for a missing recovery', () => {
  const all = { ...LINE, fault: 'all', heldUp: 2, conflicts: 1, recoverySeconds: null };
  const [, one, whole] = asTable([LINE, all]).split('\n');
  expect(one).toMatch(/^redis-killed +10 +9 +9 +0 +0 +0 +0 +12 +12 +0 +0 +0 +0 +0 +1\.25$/);
  expect(whole).toMatch(/^all .* 3 +-$/);
});

test.each(WRONGS)('a run with one %s is not clean', (count) => {
  expect(isClean(LINE)).toBe(true);
  expect(isClean({ ...LINE, [count]: 1 })).toBe(false);
});
