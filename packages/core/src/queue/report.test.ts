import { expect, test } from 'vitest';
import { REPLY_BOUNDS_MS, REPLY_BUCKETS, replyBucket } from './report.js';

test('a reply is counted in the first bucket whose bound it does not exceed, or in the last bucket', () => {
  expect(replyBucket(0)).toBe(0);
  for (const [index, bound] of REPLY_BOUNDS_MS.entries()) {
    expect(replyBucket(bound)).toBe(index);
    expect(replyBucket(bound + 0.01)).toBe(index + 1);
  }
  expect(replyBucket(Number.POSITIVE_INFINITY)).toBe(REPLY_BUCKETS - 1);
});
