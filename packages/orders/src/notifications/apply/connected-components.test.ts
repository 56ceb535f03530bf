import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connectedComponents, packGroups } from './connected-components.js';

describe('things with a common key', () => {
  test('are together, also through others; the rest is separate', () => {
    expect(connectedComponents([['a'], ['b'], ['a', 'c'], [], ['d'], ['c', 'b']])).toEqual([
      [0, 1, 2, 5],
      [3],
      [4],
    ]);
  });

  test('are in exactly one group, and no two groups share a key', () => {
    const keys = fc.array(fc.array(fc.constantFrom(...'abcdefgh'), { maxLength: 3 }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(keys, (all) => {
        const groups = connectedComponents(all);
        expect(groups.flat().sort((a, b) => a - b)).toEqual(all.map((_, index) => index));
        const names = groups.map((group) => new Set(group.flatMap((index) => all[index] ?? [])));
        for (const [index, one] of names.entries()) {
          for (const other of names.slice(index + 1)) {
            expect([...one].filter((name) => other.has(name))).toEqual([]);
          }
        }
        for (const group of groups) expect(group).toEqual([...group].sort((a, b) => a - b));
      }),
    );
  });
});

test('batches keep groups whole, in their order, and within their size unless one is larger', () => {
  expect(packGroups([[0, 1], [2], [3, 4, 5, 6], [7], [8]], 3)).toEqual([
    [0, 1, 2],
    [3, 4, 5, 6],
    [7, 8],
  ]);
  expect(packGroups([], 3)).toEqual([]);
});
