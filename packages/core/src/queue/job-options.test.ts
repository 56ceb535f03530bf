import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffDelayMs, consumerSettings, notificationJobOptions } from './job-options.js';

const HOUR_MS = 3_600_000;

test('even with the shortest delays a job is tried for more than 25 hours: longer than any provider sends', () => {
  let totalMs = 0;
  for (let made = 1; made < notificationJobOptions.attempts; made += 1)
    totalMs += backoffDelayMs(made, 1);
  expect(totalMs).toBeGreaterThan(25 * HOUR_MS);
});

test('a delay never exceeds a quarter of an hour, and a fifth of it at most is random', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (made, random) => {
        const full = backoffDelayMs(made, 0);
        const delay = backoffDelayMs(made, random);
        expect(full).toBeLessThanOrEqual(15 * 60_000);
        expect(delay).toBeLessThanOrEqual(full);
        expect(delay).toBeGreaterThanOrEqual(full * 0.8 - 1);
      },
    ),
  );
});

test('the first delays double from one second', () => {
  expect([1, 2, 3, 4].map((made) => backoffDelayMs(made, 0))).toEqual([1_000, 2_000, 4_000, 8_000]);
});

test('a completed job is kept for an hour at most, with a bound; a failed one is never removed', () => {
  expect(consumerSettings.removeOnComplete.age).toBeLessThanOrEqual(3_600);
  expect(consumerSettings.removeOnComplete.count).toBeLessThanOrEqual(10_000);
  expect(notificationJobOptions.removeOnFail).toBe(false);
});

test('crashes do not consume attempts, and the number fits a 32-bit integer', () => {
  expect(consumerSettings.maxStalledCount).toBeGreaterThan(1_000_000);
  expect(consumerSettings.maxStalledCount).toBeLessThan(2 ** 31);
});
