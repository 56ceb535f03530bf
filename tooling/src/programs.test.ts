import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { installCommands } from './ensure-programs.js';
import { findProgram, PGBOUNCER, type Program, TEST_PROGRAMS } from './programs.js';

const root = mkdtempSync(join(tmpdir(), 'payonce-programs-'));
const PROGRAM: Program = {
  names: ['payonce-wanted', 'payonce-instead'],
  packages: ['wanted', 'its-font'],
  why: 'a test needs it',
};

function folder(name: string, files: Readonly<Record<string, number>>): string {
  const path = join(root, name);
  mkdirSync(path);
  for (const [file, mode] of Object.entries(files)) writeFileSync(join(path, file), '', { mode });
  return path;
}

const one = folder('one', { 'payonce-instead': 0o755 });
const two = folder('two', { 'payonce-wanted': 0o755 });
const other = folder('other', { 'payonce-wanted': 0o644 });

test('the first name wins, in whatever folder it is', () => {
  expect(findProgram(PROGRAM, [one, two].join(delimiter))).toBe(join(two, 'payonce-wanted'));
});

test('another name is found where the first is nowhere', () => {
  expect(findProgram(PROGRAM, one)).toBe(join(one, 'payonce-instead'));
});

test('a file that cannot be run is not the program', () => {
  expect(findProgram(PROGRAM, other)).toBeNull();
});

test('an empty PATH means no folder, and not the current one', () => {
  expect(findProgram(PROGRAM, '')).toBeNull();
  expect(findProgram(PROGRAM, delimiter)).toBeNull();
});

test('the lists of packages are read before the first of them is installed', () => {
  expect(installCommands([PROGRAM], true)).toEqual([
    ['apt-get', 'update', '-qq'],
    ['apt-get', 'install', '-y', '-qq', 'wanted', 'its-font'],
  ]);
});

test('a service that a package starts is ended, where there are services', () => {
  const ended = ['systemctl', 'disable', '--now', 'pgbouncer'];
  expect(installCommands([PGBOUNCER, PROGRAM], true).at(2)).toEqual(ended);
  expect(installCommands([PGBOUNCER, PROGRAM], false).flat()).not.toContain('systemctl');
});

test('every program of the tests names its package and its reason', () => {
  for (const { names, packages, why } of TEST_PROGRAMS) {
    expect([names.length, packages.length, why.length].every((length) => length > 0)).toBe(true);
  }
});
