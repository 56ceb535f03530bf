import { expect, test } from 'vitest';
import { createBatchAges } from '../batch/batch-ages.js';
import { lockDelayMs, storeDelayMs } from './defer.js';
import { createJobWaits, waitsInWords } from './job-waits.js';

function clocked() {
  const clock = { ms: 0 };
  return { clock, waits: createJobWaits(() => clock.ms) };
}

test('a job that waits again has waited since the first time', () => {
  const { clock, waits } = clocked();
  waits.began('a', 'lock');
  clock.ms = 4_000;
  waits.began('a', 'lock');
  waits.began('b', 'lock');
  clock.ms = 5_000;
  expect(waits.of('lock')).toEqual({ jobs: 2, oldestMs: 5_000 });
  expect(waits.of('store')).toEqual({ jobs: 0, oldestMs: 0 });
  waits.ended('a');
  expect(waits.of('lock')).toEqual({ jobs: 1, oldestMs: 1_000 });
});

test('a job that does not come again is forgotten: another worker has it', () => {
  const { clock, waits } = clocked();
  waits.began('a', 'lock');
  clock.ms = 20_001;
  expect(waits.of('lock')).toEqual({ jobs: 0, oldestMs: 0 });
  expect(waits.waitedMs('a', 'lock')).toBe(null);
});

test('the reasons of waiting jobs are put in words, and there are none when none waits', () => {
  const { clock, waits } = clocked();
  expect(waitsInWords(waits)).toEqual({});
  waits.began('a', 'store');
  clock.ms = 12_300;
  expect(waitsInWords(waits)).toEqual({
    'waiting for store': '1 job waits for the database to respond, the first one for 12 s',
  });
});

test('however long a job has waited it comes again within ten seconds', () => {
  for (const waited of [0, 1_000, 60_000, 3_600_000]) {
    expect(lockDelayMs(waited, 0)).toBe(1_000);
    expect(lockDelayMs(waited, 1)).toBeLessThanOrEqual(7_000);
  }
  expect(storeDelayMs(0)).toBeGreaterThanOrEqual(1_000);
  expect(storeDelayMs(1)).toBeLessThanOrEqual(6_000);
});

test('the oldest running batch counts, and none once it is over', () => {
  let ms = 0;
  const batches = createBatchAges(() => ms);
  const first = batches.began();
  ms = 10;
  const second = batches.began();
  ms = 30;
  expect(batches.oldestMs()).toBe(30);
  first();
  expect(batches.oldestMs()).toBe(20);
  second();
  expect(batches.oldestMs()).toBe(0);
});

test('while no job is taken the wait for the store goes on, and jobs that come again keep their time', () => {
  const clock = { ms: 0 };
  const waits = createJobWaits(() => clock.ms);
  waits.began('a', 'store');
  clock.ms = 3_000;
  waits.paused(true);
  clock.ms = 90_000;
  waits.paused(true);
  expect(waits.of('store')).toEqual({ jobs: 1, oldestMs: 90_000 });
  expect(waits.of('lock')).toEqual({ jobs: 0, oldestMs: 0 });
  waits.paused(false);
  clock.ms = 95_000;
  expect(waits.of('store')).toEqual({ jobs: 1, oldestMs: 95_000 });
  waits.ended('a');
  expect(waits.of('store')).toEqual({ jobs: 0, oldestMs: 0 });
});
