import { expect, test } from 'vitest';
import { AppError } from '../runtime/errors.js';
import { type Bulk, coalesce } from './coalesce.js';

const LIMITS = {
  bulkFrom: 2,
  maxBatchSize: 3,
  maxBatchesInFlight: 1,
  besideFrom: 1,
  patienceMs: 1_000,
  flushLimitMs: 1_000,
};

/**
 * A store that records its bulk adds, and answers on demand; after a failure it answers by itself.
 */
function byHand() {
  const flushes: { items: readonly string[]; resolve: () => void; reject: (e: Error) => void }[] =
    [];
  const alone: string[] = [];
  const flushed = (items: readonly string[]) =>
    new Promise<void>((resolve, reject) => flushes.push({ items, resolve, reject }));
  let failed = false;
  const store: Bulk<string> = {
    addAll: (items) =>
      flushed(items).catch((error) => {
        failed = true;
        throw error;
      }),
    addOne: async (item) => {
      if (!failed) return flushed([item]);
      alone.push(item);
      if (item === 'bad') throw new Error('refused');
    },
  };
  return { store, flushes, alone };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a single add starts at once; adds in the meantime share a flush', async () => {
  const { store, flushes } = byHand();
  const add = coalesce(store, LIMITS);
  const first = add('a', 1_000);
  await turn();
  const others = ['b', 'c', 'd', 'e'].map((item) => add(item, 1_000));
  await turn();
  expect(flushes.map(({ items }) => items)).toEqual([['a']]);
  flushes[0]?.resolve();
  await first;
  await turn();
  expect(flushes[1]?.items).toEqual(['b', 'c', 'd']);
  flushes[1]?.resolve();
  await Promise.all(others.slice(0, 3));
  await turn();
  expect(flushes[2]?.items).toEqual(['e']);
  flushes[2]?.resolve();
  await others[3];
});

test('adds below the bulk size run concurrently, each with its answer', async () => {
  const { store, flushes } = byHand();
  const add = coalesce(store, { ...LIMITS, bulkFrom: 3 });
  const settled: string[] = [];
  const adds = ['a', 'b'].map((item) => add(item, 1_000).then(() => settled.push(item)));
  await turn();
  expect(flushes.map(({ items }) => items)).toEqual([['a'], ['b']]);
  flushes[1]?.resolve();
  await turn();
  expect(settled).toEqual(['b']);
  flushes[0]?.resolve();
  await Promise.all(adds);
});

test('while a flush is running, another starts only if it is large enough', async () => {
  const { store, flushes } = byHand();
  const add = coalesce(store, { ...LIMITS, maxBatchesInFlight: 2, besideFrom: 3 });
  const adds = [add('a', 1_000)];
  await turn();
  adds.push(add('b', 1_000), add('c', 1_000));
  await turn();
  expect(flushes.map(({ items }) => items)).toEqual([['a']]);
  adds.push(add('d', 1_000));
  await turn();
  expect(flushes.map(({ items }) => items)).toEqual([['a'], ['b', 'c', 'd']]);
  for (const { resolve } of flushes) resolve();
  await Promise.all(adds);
});

test('after a slow flush waiting adds start, however few they are', async () => {
  const { store, flushes } = byHand();
  const limits = { ...LIMITS, maxBatchesInFlight: 2, besideFrom: 3, patienceMs: 20 };
  const add = coalesce(store, limits);
  const first = add('a', 1_000);
  await turn();
  const second = add('b', 1_000);
  await expect.poll(() => flushes.map(({ items }) => items)).toEqual([['a'], ['b']]);
  flushes[1]?.resolve();
  await second;
  // The slow one is still running, and blocks nothing.
  const third = add('c', 1_000);
  await turn();
  expect(flushes[2]?.items).toEqual(['c']);
  for (const { resolve } of flushes) resolve();
  await Promise.all([first, third]);
});

test('an add resolves only when its flush is durable', async () => {
  const { store, flushes } = byHand();
  const add = coalesce(store, LIMITS);
  const settled: string[] = [];
  void add('a', 1_000).then(() => settled.push('a'));
  await turn();
  await turn();
  expect(settled).toEqual([]);
  flushes[0]?.resolve();
  await turn();
  expect(settled).toEqual(['a']);
});

test('a bad item fails alone: the others of its flush are added one by one', async () => {
  const { store, flushes, alone } = byHand();
  const add = coalesce(store, LIMITS);
  const adds = ['a', 'bad', 'c'].map((item) => add(item, 1_000));
  await turn();
  flushes[0]?.reject(new Error('one of them'));
  const results = await Promise.allSettled(adds);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(alone).toEqual(['a', 'bad', 'c']);
});

test('after a fault of the store the adds are not repeated one by one', async () => {
  const { store, flushes, alone } = byHand();
  const add = coalesce(store, LIMITS);
  const adds = ['a', 'b'].map((item) => add(item, 1_000));
  await turn();
  flushes[0]?.reject(new AppError('queue_unavailable', { detail: '0 of 1 replicas have it' }));
  for (const one of adds) await expect(one).rejects.toMatchObject({ code: 'queue_unavailable' });
  expect(alone).toEqual([]);
});

// Twenty times: timers end up to a millisecond before the clock shows it.
test.each(Array.from({ length: 20 }))(
  'each add keeps its own deadline, also while it waits for a flush, and is not added after it',
  async () => {
    const { store, flushes } = byHand();
    const add = coalesce(store, LIMITS);
    const first = add('a', 1_000);
    await turn();
    await expect(add('b', 2)).rejects.toMatchObject({ code: 'deadline_exceeded' });
    const third = add('c', 1_000);
    flushes[0]?.resolve();
    await first;
    await turn();
    expect(flushes[1]?.items).toEqual(['c']);
    flushes[1]?.resolve();
    await third;
  },
);

test('a flush without an answer does not block the next one', async () => {
  const { store, flushes } = byHand();
  const add = coalesce(store, { ...LIMITS, flushLimitMs: 30 });
  await expect(add('a', 1_000)).rejects.toMatchObject({ code: 'deadline_exceeded' });
  const second = add('b', 1_000);
  await turn();
  expect(flushes[1]?.items).toEqual(['b']);
  flushes[1]?.resolve();
  await second;
});
