import { expect, test } from 'vitest';
import { createStuckWatch, type Look } from './stuck-watch.js';

const LIMIT_MS = 60_000;

const redis = (waiting: number | null, taken = 0): Look => ({ name: 'redis', waiting, taken });
const postgres = (waiting: number | null, taken = 0): Look => ({
  name: 'postgres',
  waiting,
  taken,
});

/** One look every ten seconds: the result of the last one. */
function watch(seen: readonly { looks: readonly Look[]; database?: boolean }[]): string | null {
  const { look } = createStuckWatch(LIMIT_MS);
  const found = seen.map(({ looks, database = true }, index) =>
    look(looks, database, index * 10_000),
  );
  return found.at(-1) ?? null;
}

const seven = <Seen>(seen: (index: number) => Seen) => Array.from({ length: 7 }, (_, i) => seen(i));

test('jobs wait and none is taken for the whole limit: stuck, and which queue', () => {
  expect(watch(seven(() => ({ looks: [redis(0), postgres(3)] })))).toBe('postgres');
});

test('a moment before the limit it is not stuck yet', () => {
  expect(watch(seven(() => ({ looks: [redis(3)] })).slice(1))).toBe(null);
});

test('as long as one job is taken between two looks it is not stuck, however many wait', () => {
  expect(watch(seven((index) => ({ looks: [redis(900, index)] })))).toBe(null);
});

test('a queue in which nothing waits is not stuck', () => {
  expect(watch(seven(() => ({ looks: [redis(0), postgres(0)] })))).toBe(null);
});

test('the limit starts again after the queue was empty', () => {
  expect(watch(seven((index) => ({ looks: [redis(index === 3 ? 0 : 5)] })))).toBe(null);
});

test.each([
  ['the queue itself', { looks: [redis(null), postgres(0)] }],
  ['the other queue', { looks: [redis(5), postgres(null)] }],
  ['the database', { looks: [redis(5), postgres(0)], database: false }],
])(
  'while %s does not respond it is never stuck, and afterwards the limit starts again',
  (_, away) => {
    const here = { looks: [redis(5), postgres(0)] };
    expect(watch(seven(() => away))).toBe(null);
    expect(watch([...seven(() => here).slice(1), away, here])).toBe(null);
    expect(watch([away, ...seven(() => here)])).toBe('redis');
  },
);
