import { REPLY_BOUNDS_MS, REPLY_BUCKETS } from '@payonce/core/queue/report';
import { expect, test } from 'vitest';
import { percentileOf } from './stats-latency.js';

/** So many replies in the given buckets, none in the others. */
const buckets = (counts: Readonly<Record<number, number>>) =>
  Array.from({ length: REPLY_BUCKETS }, (_, index) => counts[index] ?? 0);

test('a percentile is the bound of its bucket', () => {
  const replies = buckets({ 0: 50, 3: 49, 7: 1 });
  expect(percentileOf(replies, 0.5)).toBe(REPLY_BOUNDS_MS[0]);
  expect(percentileOf(replies, 0.51)).toBe(REPLY_BOUNDS_MS[3]);
  expect(percentileOf(replies, 0.99)).toBe(REPLY_BOUNDS_MS[3]);
  expect(percentileOf(replies, 1)).toBe(REPLY_BOUNDS_MS[7]);
});

test('without replies there is none, and beyond the greatest bound it is unknown', () => {
  expect(percentileOf(buckets({}), 0.5)).toBeNull();
  expect(percentileOf([], 0.5)).toBeNull();
  expect(percentileOf(buckets({ [REPLY_BUCKETS - 1]: 1 }), 0.5)).toBeNull();
});
