import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ALL_FAULTS } from './faults/all.js';
import { readOptions } from './options.js';

test('without arguments: five minutes, two of each process, every fault, a seed by chance', () => {
  const [one, other] = [readOptions([]), readOptions([])];
  expect(one).toMatchObject({
    json: false,
    seconds: 300,
    gateways: 2,
    workers: 2,
    faults: ALL_FAULTS,
    former: null,
  });
  expect('seed' in one && 'seed' in other && one.seed !== other.seed).toBe(true);
});

test('arguments count, in the given order', () => {
  const args = ['--json', '--seconds', '60', '--seed', '9', '--faults', 'hot-order,redis-full'];
  const read = readOptions(args);
  expect(read).toMatchObject({ json: true, seconds: 60, seed: 9 });
  expect('faults' in read && read.faults.map(({ name }) => name)).toEqual([
    'hot-order',
    'redis-full',
  ]);
});

test.each([
  ['--seconds', '1'],
  ['--seconds', '1e9'],
  ['--seed', '-1'],
  ['--gateways', '0'],
  ['--workers', '4'],
  ['--faults', 'flood'],
  ['--former', '/nonexistent'],
  ['--unknown', ''],
])('%s %s is refused', (...args) => {
  expect(() => readOptions(args)).toThrow();
});

test('there are at least fourteen faults with distinct names, and the help and the document describe each', () => {
  const names = ALL_FAULTS.map(({ name }) => name);
  expect(new Set(names).size).toBeGreaterThanOrEqual(14);
  expect(new Set(names).size).toBe(names.length);
  const help = readOptions(['--help']);
  const document = readFileSync(join(import.meta.dirname, '../../docs/chaos.md'), 'utf8');
  for (const name of names) {
    expect('help' in help && help.help).toContain(name);
    expect(document).toContain(`| \`${name}\` |`);
  }
});
