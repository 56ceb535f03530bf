import { expect, test } from 'vitest';
import { createRejectionRateLimit } from './rejection-rate-limit.js';

const FORGER = '203.0.113.7';
const PROVIDER = '203.0.113.8';
const HOUR_MS = 3_600_000;

function refuse(
  limit: ReturnType<typeof createRejectionRateLimit>,
  address: string,
  times: number,
  at = 0,
) {
  for (let n = 0; n < times; n += 1) limit.rejected(address, at);
}

test('an address is served until its refusals are used up, then as they are refilled', () => {
  const limit = createRejectionRateLimit(60);
  refuse(limit, FORGER, 59);
  expect(limit.isLimited(FORGER, 0)).toBe(false);
  refuse(limit, FORGER, 1);
  expect(limit.isLimited(FORGER, 0)).toBe(true);
  expect(limit.isLimited(PROVIDER, 0)).toBe(false);
  expect(limit.isLimited(FORGER, 999)).toBe(true);
  expect(limit.isLimited(FORGER, 1_000)).toBe(false);
  refuse(limit, FORGER, 1, 1_000);
  expect(limit.isLimited(FORGER, 1_000)).toBe(true);
  expect(limit.isLimited(FORGER, 1_000 + HOUR_MS)).toBe(false);
});

test('accepted requests are never counted, and their sender is not limited for the rest', () => {
  const limit = createRejectionRateLimit(60);
  for (let n = 0; n < 1_000; n += 1) limit.accepted(PROVIDER, 0);
  refuse(limit, PROVIDER, 1_000);
  expect(limit.isLimited(PROVIDER, HOUR_MS / 100)).toBe(false);
  refuse(limit, FORGER, 60);
  expect(limit.isLimited(FORGER, 0)).toBe(true);
  limit.accepted(FORGER, 0);
  expect(limit.isLimited(FORGER, 0)).toBe(false);
});

test('a million addresses need no more memory than ten thousand', { timeout: 30_000 }, () => {
  const limit = createRejectionRateLimit(1);
  for (let n = 0; n < 1_000_000; n += 1) {
    limit.rejected(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, 0);
  }
  expect(limit.addresses).toBeLessThanOrEqual(10_000);
  for (let n = 0; n < 1_000_000; n += 1) limit.isLimited(`192.${n >> 16}.1.${n & 255}`, 0);
  expect(limit.addresses).toBeLessThanOrEqual(10_000);
});

test('the addresses of one IPv6 network are one, and an IPv4 address is the same in IPv6', () => {
  const limit = createRejectionRateLimit(2);
  limit.rejected('2001:db8:1:2::1', 0);
  limit.rejected('2001:db8:1:2:ffff::1', 0);
  expect(limit.isLimited('2001:db8:1:2:3:4:5:6', 0)).toBe(true);
  expect(limit.isLimited('2001:db8:1:3::1', 0)).toBe(false);
  refuse(limit, FORGER, 2);
  expect(limit.isLimited(`::ffff:${FORGER}`, 0)).toBe(true);
});

test('0 limits nobody', () => {
  const limit = createRejectionRateLimit(0);
  refuse(limit, FORGER, 1_000);
  expect(limit.isLimited(FORGER, 0)).toBe(false);
});
