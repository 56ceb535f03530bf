import { expect, test } from 'vitest';
import { nextAttemptAt, openMaxMs, parseRetryAfter, RETRY_AFTER_MS } from './retry.js';

const now = new Date(Date.UTC(2026, 0, 1));
const waitOf = (attempts: number, retryAfterMs: number | null, random: number) => {
  const at = nextAttemptAt(RETRY_AFTER_MS, attempts, now, retryAfterMs, random);
  return at && at.getTime() - now.getTime();
};

test('ten attempts over three days, each wait randomly a little longer and never shorter', () => {
  for (const [index, wait] of RETRY_AFTER_MS.entries()) {
    expect(waitOf(index + 1, null, 0)).toBe(wait);
    expect(waitOf(index + 1, null, 1)).toBe(wait * 1.2);
  }
  expect(waitOf(10, null, 0)).toBeNull();
  expect(RETRY_AFTER_MS.reduce((sum, wait) => sum + wait)).toBeGreaterThan(3 * 24 * 3_600_000);
});

test('a circuit is open for a quarter of an hour at most, and no longer than the longest wait', () => {
  expect(openMaxMs(RETRY_AFTER_MS)).toBe(900_000);
  expect(openMaxMs([1_000, 2_000])).toBe(2_000);
});

test('Retry-After can make a wait longer, and never shorter', () => {
  expect(waitOf(1, 60_000, 0)).toBe(60_000);
  expect(waitOf(5, 60_000, 0)).toBe(RETRY_AFTER_MS[4]);
  expect(waitOf(10, 60_000, 0)).toBeNull();
});

test.each([
  ['120', 120_000],
  ['Thu, 01 Jan 2026 00:10:00 GMT', 600_000],
  ['999999999', 86_400_000],
  ['Fri, 01 Jan 2100 00:00:00 GMT', 86_400_000],
  ['0', null],
  ['Wed, 31 Dec 2025 23:59:00 GMT', null],
  ['-1', null],
  ['1e9', null],
  ['soon', null],
  ['Thu, soon GMT', null],
  [['1', '2'], null],
  [undefined, null],
])('Retry-After %j asks for %j ms', (text, ms) => expect(parseRetryAfter(text, now)).toBe(ms));
