import { expect, test } from 'vitest';
import type { Reading, Side } from './cases/case.js';
import { alternate } from './rounds.js';

const quiet = () => {};

/** Returns its values one after the other, and records its turn. */
function sideOf(
  name: string,
  turns: string[],
  values: readonly number[],
  unit = 'applied/s',
): Side {
  let round = 0;
  return {
    async measure(): Promise<readonly Reading[]> {
      turns.push(name);
      const value = values[round++] ?? Number.NaN;
      return [{ name: 'row', unit, value, better: unit.startsWith('ms') ? 'less' : 'more' }];
    },
    end: async () => {},
  };
}

test('two builds take turns, and the first one changes from round to round', async () => {
  const turns: string[] = [];
  const ours = sideOf('A', turns, [90, 100, 120]);
  const theirs = sideOf('B', turns, [100, 100, 100]);
  const measurements = await alternate(ours, theirs, 3, quiet);
  expect(turns.join(' ')).toBe('A B B A A B');
  expect(measurements).toEqual([
    {
      name: 'row',
      unit: 'applied/s',
      value: 100,
      baseline: 100,
      ratio: 1,
      min: 0.9,
      max: 1.2,
      rounds: 3,
    },
  ]);
});

test('the ratio is the median of the rounds, not the ratio of the medians', async () => {
  const ours = sideOf('A', [], [10, 200, 3_000]);
  const theirs = sideOf('B', [], [20, 100, 1_000]);
  const [measurement] = await alternate(ours, theirs, 3, quiet);
  expect(measurement).toMatchObject({ value: 200, baseline: 100, ratio: 2, min: 0.5, max: 3 });
});

test('for a time less is better: the build that takes half of it has the ratio 2', async () => {
  const ours = sideOf('A', [], [20], 'ms (p99)');
  const theirs = sideOf('B', [], [40], 'ms (p99)');
  const [measurement] = await alternate(ours, theirs, 1, quiet);
  expect(measurement).toMatchObject({ value: 20, baseline: 40, ratio: 2 });
});
