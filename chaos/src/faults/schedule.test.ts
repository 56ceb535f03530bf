import { expect, test } from 'vitest';
import { ALL_FAULTS } from './all.js';
import { costMs, LEAST_PATIENCE_MS } from './schedule.js';

test.each([300, 600])('in %d seconds every fault is played once', (seconds) => {
  const all = ALL_FAULTS.reduce(
    (sum, fault) => sum + costMs(fault, seconds) + LEAST_PATIENCE_MS,
    0,
  );
  expect(all).toBeLessThan(seconds * 1_000 * 0.95);
});
