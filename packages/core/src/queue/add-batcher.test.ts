import { expect, test } from 'vitest';
import { AppError } from '../runtime/errors.js';
import { type BulkStore, createAddBatcher } from './add-batcher.js';

const LIMITS = {
  minBulkSize: 2,
  maxBatchSize: 3,
  maxBatchesInFlight: 1,
  minConcurrentBatchSize: 1,
  slowAfterMs: 1_000,
  batchLimitMs: 1_000,
};

/**
 * A store that records its bulk adds, and answers on demand; after a failure it answers by itself.
 */
function byHand() {
  const batches: { items: readonly string[]; resolve: () => void; reject: (e: Error) => void }[] =
    [];
  const alone: string[] = [];
  const flushed = (items: readonly string[]) =>
    new Promise<void>((resolve, reject) => batches.push({ items, resolve, reject }));
  let failed = false;
  const store: BulkStore<string> = {
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
  return { store, batches, alone };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a single add starts at once; adds in the meantime share a batch', async () => {
  const { store, batches } = byHand();
  const add = createAddBatcher(store, LIMITS);
  const first = add('a', 1_000);
  await turn();
  const others = ['b', 'c', 'd', 'e'].map((item) => add(item, 1_000));
  await turn();
  expect(batches.map(({ items }) => items)).toEqual([['a']]);
  batches[0]?.resolve();
  await first;
  await turn();
  expect(batches[1]?.items).toEqual(['b', 'c', 'd']);
  batches[1]?.resolve();
  await Promise.all(others.slice(0, 3));
  await turn();
  expect(batches[2]?.items).toEqual(['e']);
  batches[2]?.resolve();
  await others[3];
});

test('adds below the bulk size run concurrently, each with its answer', async () => {
  const { store, batches } = byHand();
  const add = createAddBatcher(store, { ...LIMITS, minBulkSize: 3 });
  const settled: string[] = [];
  const adds = ['a', 'b'].map((item) => add(item, 1_000).then(() => settled.push(item)));
  await turn();
  expect(batches.map(({ items }) => items)).toEqual([['a'], ['b']]);
  batches[1]?.resolve();
  await turn();
  expect(settled).toEqual(['b']);
  batches[0]?.resolve();
  await Promise.all(adds);
});

test('while a batch is running, another starts only if it is large enough', async () => {
  const { store, batches } = byHand();
  const add = createAddBatcher(store, {
    ...LIMITS,
    maxBatchesInFlight: 2,
    minConcurrentBatchSize: 3,
  });
  const adds = [add('a', 1_000)];
  await turn();
  adds.push(add('b', 1_000), add('c', 1_000));
  await turn();
  expect(batches.map(({ items }) => items)).toEqual([['a']]);
  adds.push(add('d', 1_000));
  await turn();
  expect(batches.map(({ items }) => items)).toEqual([['a'], ['b', 'c', 'd']]);
  for (const { resolve } of batches) resolve();
  await Promise.all(adds);
});

test('after a slow batch waiting adds start, however few they are', async () => {
  const { store, batches } = byHand();
  const limits = { ...LIMITS, maxBatchesInFlight: 2, minConcurrentBatchSize: 3, slowAfterMs: 20 };
  const add = createAddBatcher(store, limits);
  const first = add('a', 1_000);
  await turn();
  const second = add('b', 1_000);
  await expect.poll(() => batches.map(({ items }) => items)).toEqual([['a'], ['b']]);
  batches[1]?.resolve();
  await second;
  // The slow one is still running, and blocks nothing.
  const third = add('c', 1_000);
  await turn();
  expect(batches[2]?.items).toEqual(['c']);
  for (const { resolve } of batches) resolve();
  await Promise.all([first, third]);
});

test('an add resolves only when its batch is durable', async () => {
  const { store, batches } = byHand();
  const add = createAddBatcher(store, LIMITS);
  const settled: string[] = [];
  void add('a', 1_000).then(() => settled.push('a'));
  await turn();
  await turn();
  expect(settled).toEqual([]);
  batches[0]?.resolve();
  await turn();
  expect(settled).toEqual(['a']);
});

test('a bad item fails alone: the others of its batch are added one by one', async () => {
  const { store, batches, alone } = byHand();
  const add = createAddBatcher(store, LIMITS);
  const adds = ['a', 'bad', 'c'].map((item) => add(item, 1_000));
  await turn();
  batches[0]?.reject(new Error('one of them'));
  const results = await Promise.allSettled(adds);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(alone).toEqual(['a', 'bad', 'c']);
});

test('after a fault of the store the adds are not repeated one by one', async () => {
  const { store, batches, alone } = byHand();
  const add = createAddBatcher(store, LIMITS);
  const adds = ['a', 'b'].map((item) => add(item, 1_000));
  await turn();
  batches[0]?.reject(new AppError('queue_unavailable', { detail: '0 of 1 replicas have it' }));
  for (const one of adds) await expect(one).rejects.toMatchObject({ code: 'queue_unavailable' });
  expect(alone).toEqual([]);
});

// Twenty times: timers end up to a millisecond before the clock shows it.
test.each(Array.from({ length: 20 }))(
  'each add keeps its own deadline, also while it waits for a batch, and is not added after it',
  async () => {
    const { store, batches } = byHand();
    const add = createAddBatcher(store, LIMITS);
    const first = add('a', 1_000);
    await turn();
    await expect(add('b', 2)).rejects.toMatchObject({ code: 'deadline_exceeded' });
    const third = add('c', 1_000);
    batches[0]?.resolve();
    await first;
    await turn();
    expect(batches[1]?.items).toEqual(['c']);
    batches[1]?.resolve();
    await third;
  },
);

test('a batch without an answer does not block the next one', async () => {
  const { store, batches } = byHand();
  const add = createAddBatcher(store, { ...LIMITS, batchLimitMs: 30 });
  await expect(add('a', 1_000)).rejects.toMatchObject({ code: 'deadline_exceeded' });
  const second = add('b', 1_000);
  await turn();
  expect(batches[1]?.items).toEqual(['b']);
  batches[1]?.resolve();
  await second;
});
