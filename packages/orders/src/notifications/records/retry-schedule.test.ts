import { expect, test } from 'vitest';
import { HOLD_REASONS } from '../../database/hold-reason.js';
import { nextRetryAt } from './retry-schedule.js';

const now = new Date(Date.UTC(2026, 0, 1));
const minutesTo = (time: Date | null) => (time ? (time.getTime() - now.getTime()) / 60_000 : null);

test('held events are decided again after a minute, then later and later, then daily, then no more', () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 31, 32].map((tries) =>
    minutesTo(nextRetryAt('unknown_order', tries, now)),
  );
  expect(waits).toEqual([1, 5, 15, 60, 360, 1440, 1440, 1440, null]);
});

test('only reasons that time can cure are decided again', () => {
  expect(HOLD_REASONS.filter((reason) => nextRetryAt(reason, 0, now) !== null)).toEqual([
    'unknown_order',
    'trade_on_other_order',
    'unconfirmed',
    'internal_error',
  ]);
});
