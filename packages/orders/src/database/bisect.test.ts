import { expect, test } from 'vitest';
import { bisect } from './bisect.js';

class Outage extends Error {}
const isOutage = (error: unknown) => error instanceof Outage;

/** Refuses every batch that contains one of these items, and records the batches. */
function refusing(...bad: readonly number[]) {
  const batches: (readonly number[])[] = [];
  const together = async (items: readonly number[]) => {
    batches.push(items);
    if (items.some((item) => bad.includes(item))) throw new Error('refused');
    return items.map((item) => `done ${item}`);
  };
  const alone = async (item: number, error: unknown) => `${(error as Error).message} ${item}`;
  return { batches, run: (items: readonly number[]) => bisect(items, together, alone, isOutage) };
}

test('a batch without a bad item is done at once', async () => {
  const { run, batches } = refusing();
  expect(await run([1, 2, 3])).toEqual(['done 1', 'done 2', 'done 3']);
  expect(batches).toEqual([[1, 2, 3]]);
});

test('every bad item is found, the others are done, and the results keep their order', async () => {
  const { run } = refusing(2, 5);
  expect(await run([1, 2, 3, 4, 5])).toEqual([
    'done 1',
    'refused 2',
    'done 3',
    'done 4',
    'refused 5',
  ]);
});

test('one bad item in a hundred costs at most fourteen more batches', async () => {
  const { run, batches } = refusing(77);
  await run(Array.from({ length: 100 }, (_, item) => item));
  expect(batches.length).toBeLessThanOrEqual(15);
});

test('a failure that concerns no item ends the whole run', async () => {
  const together = () => Promise.reject(new Outage());
  const alone = () => Promise.reject(new Error('nobody asked'));
  await expect(bisect([1, 2], together, alone, isOutage)).rejects.toBeInstanceOf(Outage);
});

test('the error of an item that fails again alone is thrown', async () => {
  const together = () => Promise.reject(new Error('refused'));
  const alone = () => Promise.reject(new Error('refused again'));
  await expect(bisect([1, 2], together, alone, isOutage)).rejects.toThrow('refused again');
});
