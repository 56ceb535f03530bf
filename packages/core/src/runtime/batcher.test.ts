import { describe, expect, test } from 'vitest';
import { type Batcher, createBatcher } from './batcher.js';

const outcomeOf = (item: number) => ({ status: 'fulfilled', value: `outcome of ${item}` }) as const;

/** An `apply` that holds every batch until the test releases it. */
function heldApply() {
  const batches: {
    items: readonly number[];
    succeed: () => void;
    fail: (error: Error) => void;
  }[] = [];
  const apply = (items: readonly number[]) =>
    new Promise<readonly PromiseSettledResult<string>[]>((resolve, reject) => {
      batches.push({
        items,
        succeed: () => resolve(items.map(outcomeOf)),
        fail: reject,
      });
    });
  return { batches, apply };
}

const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
const submitAll = (batcher: Batcher<number, string>, items: number[]) =>
  items.map((item) => batcher.submit(item));
/** Two ticks: one for the batcher, one for the consequences. */
const turns = async (count = 2) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((done) => setImmediate(done));
};

describe('batcher', () => {
  test('items of one tick share one batch, in their order, each with its outcome', async () => {
    const seen: (readonly number[])[] = [];
    const batcher = createBatcher<number, string>({
      apply: async (items) => {
        seen.push(items);
        return items.map(outcomeOf);
      },
      maxBatchSize: 200,
      maxBatchesInFlight: 3,
    });
    const outcomes = await Promise.all(submitAll(batcher, numbers(1, 50)));
    expect(seen).toEqual([numbers(1, 50)]);
    expect(outcomes).toEqual(numbers(1, 50).map((item) => `outcome of ${item}`));
  });

  test('a single item on an idle batcher is applied without delay', async () => {
    const { batches, apply } = heldApply();
    const batcher = createBatcher({ apply, maxBatchSize: 200, maxBatchesInFlight: 3 });
    const outcome = batcher.submit(7);
    await turns(1);
    expect(batches.map((batch) => batch.items)).toEqual([[7]]);
    batches[0]?.succeed();
    await expect(outcome).resolves.toBe('outcome of 7');
  });

  test('full batches run concurrently; the remaining items wait for the next one', async () => {
    const { batches, apply } = heldApply();
    const batcher = createBatcher({ apply, maxBatchSize: 4, maxBatchesInFlight: 3 });
    submitAll(batcher, numbers(1, 9));
    await turns();
    submitAll(batcher, [10]);
    await turns();
    expect(batches.map((batch) => batch.items)).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    expect(batcher.pending).toBe(10);
    batches[0]?.succeed();
    await turns();
    expect(batches).toHaveLength(2);
    batches[1]?.succeed();
    await turns();
    expect(batches.map((batch) => batch.items)).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 10],
    ]);
    expect(batcher.pending).toBe(2);
  });

  test('no more batches are in flight than allowed; waiting items gather for the next one', async () => {
    const { batches, apply } = heldApply();
    const batcher = createBatcher({ apply, maxBatchSize: 2, maxBatchesInFlight: 2 });
    submitAll(batcher, numbers(1, 4));
    await turns();
    submitAll(batcher, [5]);
    await turns();
    submitAll(batcher, [6]);
    await turns();
    expect(batches.map((batch) => batch.items)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(batcher.pending).toBe(6);
    batches[1]?.succeed();
    await turns();
    expect(batches.map((batch) => batch.items)).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(batcher.pending).toBe(4);
  });

  test('a slow batch does not delay later items', async () => {
    const { batches, apply } = heldApply();
    const batcher = createBatcher({ apply, maxBatchSize: 200, maxBatchesInFlight: 3 });
    submitAll(batcher, [1]);
    await turns();
    submitAll(batcher, [2]);
    await turns();
    expect(batches.map((batch) => batch.items)).toEqual([[1]]);
    await expect.poll(() => batches.map((batch) => batch.items)).toEqual([[1], [2]]);
    submitAll(batcher, [3]);
    await expect.poll(() => batches.map((batch) => batch.items)).toEqual([[1], [2], [3]]);
    // As many as may be under way.
    submitAll(batcher, [4]);
    await turns();
    batches[1]?.succeed();
    await turns();
    expect(batches).toHaveLength(3);
    batches[2]?.succeed();
    await turns();
    expect(batches.map((batch) => batch.items)).toEqual([[1], [2], [3], [4]]);
  });

  test('an error settles the items of its batch and of no other', async () => {
    const { batches, apply } = heldApply();
    const batcher = createBatcher({ apply, maxBatchSize: 2, maxBatchesInFlight: 2 });
    const settled = Promise.allSettled(submitAll(batcher, numbers(1, 6)));
    await turns();
    batches[0]?.fail(new Error('the store is away'));
    await turns();
    batches[1]?.succeed();
    await turns();
    batches[2]?.succeed();
    expect((await settled).map((result) => result.status)).toEqual([
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ]);
  });

  test('an item that is refused does not affect the others of its batch', async () => {
    const batcher = createBatcher<number, string>({
      apply: async (items) =>
        items.map((item) =>
          item === 2 ? { status: 'rejected', reason: new Error('poisonous') } : outcomeOf(item),
        ),
      maxBatchSize: 3,
      maxBatchesInFlight: 1,
    });
    const settled = await Promise.allSettled(submitAll(batcher, [1, 2, 3]));
    expect(settled).toEqual([
      outcomeOf(1),
      { status: 'rejected', reason: new Error('poisonous') },
      outcomeOf(3),
    ]);
  });

  test('an apply that throws before its first await is an error of its batch, not of the process', async () => {
    const batcher = createBatcher<number, string>({
      apply: () => {
        throw new Error('at once');
      },
      maxBatchSize: 2,
      maxBatchesInFlight: 1,
    });
    await expect(batcher.submit(1)).rejects.toThrow('at once');
  });

  test('fewer outcomes than items fail the batch instead of counting as success', async () => {
    const batcher = createBatcher<number, string>({
      apply: async () => [outcomeOf(1)],
      maxBatchSize: 2,
      maxBatchesInFlight: 1,
    });
    const settled = await Promise.allSettled(submitAll(batcher, [1, 2]));
    expect(settled.map((result) => result.status)).toEqual(['rejected', 'rejected']);
  });

  test('closing applies the submitted items, refuses later ones, and then resolves', async () => {
    const { batches, apply } = heldApply();
    const batcher = createBatcher({ apply, maxBatchSize: 2, maxBatchesInFlight: 1 });
    const accepted = submitAll(batcher, numbers(1, 3));
    await turns();
    let closed = false;
    const closing = batcher.close().then(() => {
      closed = true;
    });
    await expect(batcher.submit(4)).rejects.toThrow('closed');
    batches[0]?.succeed();
    await turns();
    expect(closed).toBe(false);
    expect(batches.map((batch) => batch.items)).toEqual([[1, 2], [3]]);
    batches[1]?.succeed();
    await closing;
    await expect(Promise.all(accepted)).resolves.toHaveLength(3);
    expect(batcher.pending).toBe(0);
  });

  test('closing resolves although the last batch fails', async () => {
    const { batches, apply } = heldApply();
    const batcher = createBatcher({ apply, maxBatchSize: 2, maxBatchesInFlight: 1 });
    const settled = Promise.allSettled(submitAll(batcher, [1]));
    await turns();
    const closing = batcher.close();
    batches[0]?.fail(new Error('the store is away'));
    await closing;
    expect((await settled)[0]?.status).toBe('rejected');
  });

  test('closing an idle batcher resolves at once', async () => {
    const { apply } = heldApply();
    await createBatcher({ apply, maxBatchSize: 2, maxBatchesInFlight: 1 }).close();
  });
});
