import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@payonce/testkit/machine/poll';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  alive,
  copyClone,
  hasRunFile,
  killAll,
  type LocalCopy,
  npm,
  printed,
  type Run,
  readRun,
} from './local-copy.js';

const START_LIMIT_MS = 90_000;
const STOP_LIMIT_MS = 30_000;
const NOTIFIED = /The merchant's own system received [1-9]\d order events of them, each signed\./;
const EVERYTHING = [
  'supervisor',
  'postgres',
  'redis',
  'consumer',
  'worker',
  'gateway',
  'console',
  'simulator',
];

let copy: LocalCopy;
const runs: Run[] = [];

beforeAll(() => {
  copy = copyClone();
});
afterEach(() => {
  for (const run of runs.splice(0)) killAll(run);
});
afterAll(() => copy.remove());

/** `npm start`, serving; with the processes that it started. */
async function serving(options: { readonly terminal?: boolean } = {}) {
  const running = npm(copy, 'start', options);
  await printed(running, 'Serving.', START_LIMIT_MS);
  const run = readRun(copy);
  runs.push(run);
  expect(alive(run)).toEqual(EVERYTHING);
  return { running, run };
}

async function nothingIsLeft(run: Run): Promise<void> {
  await until('every process to end', STOP_LIMIT_MS, () => alive(run).length === 0).catch(() => {});
  expect(alive(run)).toEqual([]);
  expect(hasRunFile(copy)).toBe(false);
}

test('npm run demo passes every check, ends by itself and leaves no process behind', async () => {
  const demo = npm(copy, 'run demo');
  await printed(demo, 'starting gateway', START_LIMIT_MS);
  const run = readRun(copy);
  runs.push(run);
  expect(await demo.exited, demo.output()).toBe(0);
  expect(demo.output()).toContain('nine copies of one payment');
  expect(demo.output()).not.toContain('✗');
  expect(demo.output()).toMatch(NOTIFIED);
  await nothingIsLeft(run);
});

test('Ctrl-C in a terminal stops everything; a second start reports the running one', async () => {
  const { running, run } = await serving({ terminal: true });
  const second = npm(copy, 'start');
  expect(await second.exited).toBe(1);
  expect(second.output()).toContain(`already runs in this folder (pid ${run.supervisor.pid})`);
  running.type('\x03');
  await running.exited;
  await nothingIsLeft(run);
});

test('what it writes is for its user alone; when a store dies, it says so and stops everything', async () => {
  const { running, run } = await serving();
  const state = join(copy.folder, '.payonce');
  for (const folder of ['logs', 'redis']) {
    expect(modesBelow(join(state, folder))).toEqual({ folders: ['700'], files: ['600'] });
  }
  expect(modeOf(state)).toBe(process.getuid?.() === 0 ? '711' : '700');
  const store = run.processes.find(({ name }) => name === 'postgres');
  if (store === undefined) throw new Error('no process of PostgreSQL');
  process.kill(store.pid, 'SIGKILL');
  expect(await running.exited).toBe(1);
  expect(running.output()).toContain('postgres ended by itself: everything stops.');
  await nothingIsLeft(run);
});

/** The modes that occur below a folder, itself included. */
function modesBelow(folder: string) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const modes = (some: typeof entries) =>
    some.map(({ parentPath, name }) => modeOf(join(parentPath, name)));
  const folders = [modeOf(folder), ...modes(entries.filter((entry) => entry.isDirectory()))];
  const files = modes(entries.filter((entry) => entry.isFile()));
  return { folders: [...new Set(folders)], files: [...new Set(files)] };
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('SIGTERM to npm, which kills npm alone, stops everything', async () => {
  const { running, run } = await serving();
  process.kill(running.pid, 'SIGTERM');
  await nothingIsLeft(run);
});

test('npm run demo cleans up after a SIGKILL of the supervisor, and shows the same without Redis', async () => {
  const { run } = await serving();
  process.kill(run.supervisor.pid, 'SIGKILL');
  const demo = npm(copy, 'run demo', { env: { PAYONCE_QUEUE: 'postgres' } });
  expect(await demo.exited, demo.output()).toBe(0);
  expect(alive(run)).toEqual([]);
  expect(hasRunFile(copy)).toBe(false);
  expect(demo.output()).toContain('queue: PostgreSQL');
  expect(demo.output()).not.toContain('✗');
  expect(demo.output()).toMatch(NOTIFIED);
});
