import { expect, test } from 'vitest';
import { eventually, holdsWithin, lastWithin, until } from './poll.js';

/** Fails for some calls, then succeeds. */
function after(calls: number): () => number {
  let count = 0;
  return () => {
    count += 1;
    if (count <= calls) throw new Error(`failure ${count}`);
    return count;
  };
}

const never = () => false;
const broken = () => Promise.reject(new Error('broken'));

test('a check that holds ends the wait at once, and one that begins to hold ends it then', async () => {
  await until('nothing', 0, () => true);
  expect(await eventually(after(2))).toBe(3);
  expect(await holdsWithin(5_000, () => after(0)() === 1)).toBe(true);
  let count = 0;
  expect(
    await lastWithin(
      5_000,
      () => (count += 1),
      (one) => one === 3,
    ),
  ).toBe(3);
});

test('a check that never holds fails at the deadline, by the name of what was awaited', async () => {
  await expect(until('the gateway', 60, never)).rejects.toThrow('the gateway: not within 0.06 s');
  await expect(eventually(never, 60)).rejects.toThrow('not yet');
  expect(await holdsWithin(60, never)).toBe(false);
  expect(await lastWithin(60, () => 1, never)).toBe(1);
});

test('the deadline is kept, neither earlier nor much later', async () => {
  const begun = performance.now();
  await holdsWithin(200, never);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(200);
  expect(performance.now() - begun).toBeLessThan(2_000);
});

test('an error ends one wait at once, and another one counts it as not yet', async () => {
  await expect(until('it', 60_000, broken)).rejects.toThrow('broken');
  expect(await holdsWithin(60, broken)).toBe(false);
  await expect(eventually(broken, 60)).rejects.toThrow('broken');
});
