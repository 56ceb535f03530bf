import { expect, test } from 'vitest';
import { seededRandom } from './random.js';

const many = (seed: number) => {
  const random = seededRandom(seed);
  return Array.from({ length: 10_000 }, () => random.between(1, 6));
};

test('a seed gives the same numbers again, another one others', () => {
  expect(many(7)).toEqual(many(7));
  expect(many(7)).not.toEqual(many(8));
});

test('every number between the ends comes, about as often as the others, and none beyond them', () => {
  const counts = new Map<number, number>();
  for (const one of many(1)) counts.set(one, (counts.get(one) ?? 0) + 1);
  expect([...counts.keys()].sort()).toEqual([1, 2, 3, 4, 5, 6]);
  for (const count of counts.values()) expect(Math.abs(count - 10_000 / 6)).toBeLessThan(200);
});

test('shuffling loses nothing', () => {
  const items = Array.from({ length: 100 }, (_, index) => index);
  const shuffled = seededRandom(3).shuffled(items);
  expect(shuffled).not.toEqual(items);
  expect(shuffled.toSorted((a, b) => a - b)).toEqual(items);
});
