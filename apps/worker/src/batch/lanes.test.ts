import { AppError } from '@payonce/core/runtime/errors';
import { expect, test, vi } from 'vitest';
import { Lanes } from './lanes.js';

type Result = PromiseSettledResult<string>;
const applied = (item: string): Result => ({ status: 'fulfilled', value: item });
const locked = (): Result => ({ status: 'rejected', reason: new AppError('locked') });
/** Items are `order:number`. */
const orderOf = (item: string) => item.split(':')[0] ?? null;

function lanesOf(busy: ReadonlySet<string>, room = 100) {
  const turns: string[][] = [];
  const running = { now: 0, most: 0 };
  const lanes = new Lanes<string, string>({
    together: async (item) => {
      if (busy.has(orderOf(item) ?? '')) throw new AppError('locked');
      return item;
    },
    inTurn: async (items) => {
      turns.push([...items]);
      running.now += 1;
      running.most = Math.max(running.most, running.now);
      await new Promise((resolve) => setTimeout(resolve, 30));
      running.now -= 1;
      return items.map((item) => (busy.has(orderOf(item) ?? '') ? locked() : applied(item)));
    },
    keyOf: orderOf,
    maxBatchSize: 10,
    maxAtOnce: 2,
    room,
  });
  return { lanes, turns, running };
}

test('a free item never enters a lane', async () => {
  const { lanes, turns } = lanesOf(new Set(['busy']));
  expect(await lanes.submit('free:1')).toBe('free:1');
  expect(turns).toEqual([]);
});

test('items of a locked order go together, and not with those of another one', async () => {
  const { lanes, turns, running } = lanesOf(new Set(['a', 'b', 'c']));
  const all = ['a:1', 'a:2', 'b:1', 'c:1', 'a:3'].map((item) => lanes.submit(item));
  const results = await Promise.allSettled(all);
  expect(results.map(({ status }) => status)).toEqual(all.map(() => 'rejected'));
  for (const items of turns) expect(new Set(items.map(orderOf)).size).toBe(1);
  expect(running.most).toBe(2);
});

test('an order that is free again is applied in its lane, in the order of its items', async () => {
  const busy = new Set(['a']);
  const { lanes, turns } = lanesOf(busy);
  const first = lanes.submit('a:1');
  await vi.waitUntil(() => turns.length === 1, { interval: 1 });
  const others = ['a:2', 'a:3'].map((item) => lanes.submit(item));
  busy.clear();
  expect(await first).toBe('a:1');
  expect(await Promise.all(others)).toEqual(['a:2', 'a:3']);
});

test('a stuck lane takes no more than its room', async () => {
  const { lanes, turns } = lanesOf(new Set(['a']), 1);
  const first = lanes.submit('a:1');
  first.catch(() => undefined);
  await vi.waitUntil(() => turns.length === 2, { interval: 1 });
  await expect(lanes.submit('a:2')).rejects.toMatchObject({ code: 'locked' });
  await expect(first).rejects.toMatchObject({ code: 'locked' });
});

test('any other error is thrown at once', async () => {
  const lanes = new Lanes<string, string>({
    together: () => Promise.reject(new AppError('locked')),
    inTurn: () => Promise.reject(new AppError('database_unavailable')),
    keyOf: orderOf,
    maxBatchSize: 10,
    maxAtOnce: 1,
    room: 10,
  });
  await expect(lanes.submit('a:1')).rejects.toMatchObject({ code: 'database_unavailable' });
  await expect(lanes.submit('a:2')).rejects.toMatchObject({ code: 'database_unavailable' });
});
