import { expect, test } from 'vitest';
import { readTestOptions } from './test-options.js';

const STEPS = [{ name: 'unit' }, { name: 'stores' }, { name: 'chaos', onlyFull: true }];
const read = (...args: string[]) => readTestOptions(args, STEPS);

test('without arguments every step runs at the small size', () => {
  expect(read()).toEqual({ full: false, only: [], seed: expect.any(Number) });
});

test('steps are named in one list or in several', () => {
  expect(read('--only', 'unit,stores', '--only', 'unit')).toMatchObject({
    only: ['unit', 'stores', 'unit'],
  });
});

test('an unknown step is refused, and the known ones are named', () => {
  expect(() => read('--only', 'unit,storse')).toThrow(
    "there is no step 'storse'; the steps are unit, stores, chaos",
  );
});

test('a step of the full size is refused at the small one, and is not silently left out', () => {
  expect(() => read('--only', 'chaos')).toThrow('npm run test:full -- --only chaos');
  expect(read('--full', '--only', 'chaos')).toMatchObject({ full: true, only: ['chaos'] });
});

test('a given seed is used', () => {
  expect(read('--full', '--seed', '7')).toMatchObject({ seed: 7 });
});

test.each(['', '-1', '1.5', '0x10', 'seven', String(2 ** 32)])(
  'the seed "%s" is refused',
  (seed) => {
    expect(() => read(`--seed=${seed}`)).toThrow('--seed must be a whole number');
  },
);

test.each([['--full=1'], ['--quick'], ['stores']])('%s is a wrong command line', (arg) => {
  expect(() => read(arg)).toThrow();
});

test('help wins over everything else', () => {
  expect(read('--help', '--full', '--only', 'storse')).toBe('help');
});
