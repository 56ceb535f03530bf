import { describe, expect, test } from 'vitest';
import { type Health, healthAfter, type Result } from './health.js';

const start = new Date(Date.UTC(2026, 0, 1));
const later = (ms: number) => new Date(start.getTime() + ms);
const DAY = 24 * 3_600_000;
const well: Health = {
  failures: 0,
  failingSince: null,
  openUntil: null,
  lastSuccessAt: null,
  disabledReason: null,
};
const failed: Result = { delivered: false, status: 500, retryAfterMs: null };
const delivered: Result = { delivered: true, status: 200, retryAfterMs: null };

const after = (before: Health, times: number, now = start, result = failed) =>
  Array.from({ length: times }).reduce<Health>(
    (health) => healthAfter(health, result, now, { disableAfterMs: 5 * DAY, openMaxMs: 900_000 }),
    before,
  );

describe('the circuit', () => {
  test('stays closed over a few failures, opens at the fifth in a row', () => {
    expect(after(well, 4)).toMatchObject({ failures: 4, failingSince: start, openUntil: null });
    expect(after(well, 5)).toMatchObject({ failures: 5, openUntil: later(30_000) });
  });

  test('opens for twice as long after each failed probe, a quarter of an hour at most', () => {
    let [health, now] = [after(well, 5), 0];
    const waits = [];
    for (let probe = 0; probe < 7; probe += 1) {
      now = (health.openUntil ?? start).getTime() - start.getTime();
      health = after(health, 1, later(now));
      waits.push((health.openUntil?.getTime() ?? 0) - later(now).getTime());
    }
    expect(waits.map((ms) => ms / 1_000)).toEqual([30, 60, 120, 240, 480, 900, 900]);
  });

  test('opens for no longer when many concurrent attempts fail together', () => {
    expect(after(well, 50).openUntil).toEqual(later(30_000));
    const late = after(after(well, 5), 45, later(15_000)); // given up after the circuit opened
    expect(late.openUntil).toEqual(later(45_000));
  });

  test('never opens for longer than it may', () => {
    const limits = { disableAfterMs: 5 * DAY, openMaxMs: 2_000 };
    expect(healthAfter(after(well, 9), failed, later(1), limits).openUntil).toEqual(later(30_000));
    const quick = healthAfter({ ...after(well, 4) }, failed, later(1), limits);
    expect(quick.openUntil).toEqual(later(2_001));
  });

  test('closes with the first success, and earlier failures no longer count', () => {
    expect(after(after(well, 9), 1, later(1), delivered)).toEqual({
      ...well,
      lastSuccessAt: later(1),
    });
  });

  test('opens at once for an endpoint that reports overload, for the time that it states', () => {
    for (const status of [429, 503]) {
      const busy = { ...failed, status, retryAfterMs: 7_000 };
      expect(after(well, 1, start, busy).openUntil).toEqual(later(7_000));
    }
    const other = { ...failed, status: 500, retryAfterMs: 7_000 };
    expect(after(well, 1, start, other).openUntil).toBeNull();
  });
});

test('the wait that one failure requested is not revoked by another concurrent one', () => {
  const busy = after(well, 1, start, { ...failed, status: 429, retryAfterMs: 3_600_000 });
  for (const times of [1, 4, 9]) {
    expect(after(busy, times, later(1)).openUntil).toEqual(later(3_600_000));
  }
});

describe('automatic disabling', () => {
  test('after days of nothing but failures', () => {
    const failing = after(well, 1);
    expect(after(failing, 1, later(5 * DAY - 1)).disabledReason).toBeNull();
    expect(after(failing, 1, later(5 * DAY)).disabledReason).toBe('failing');
    const between = after(failing, 1, later(DAY), delivered);
    expect(after(between, 1, later(5 * DAY)).disabledReason).toBeNull();
  });

  test('at once, when it responds 410', () => {
    expect(after(well, 1, start, { ...failed, status: 410 }).disabledReason).toBe('gone');
  });

  test('not after an operator disabled it', () => {
    const off: Health = { ...well, disabledReason: 'operator' };
    expect(after(off, 1, start, { ...failed, status: 410 }).disabledReason).toBe('operator');
  });
});

test('a row is written at most once a second while all is well', () => {
  const good = after(well, 1, start, delivered);
  expect(after(good, 1, later(999), delivered)).toBe(good);
  expect(after(good, 1, later(1_000), delivered)).not.toBe(good);
});
