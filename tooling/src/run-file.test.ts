import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { AlreadyRunning, claim } from './run-file.js';

const newState = () => mkdtempSync(join(tmpdir(), 'payonce-run-'));
const fileOf = (state: string) => join(state, 'run.json');

/** It prints the signal that ends it. */
async function waiting(): Promise<ChildProcess & { pid: number }> {
  const signals = "for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {";
  const script = `${signals} console.log(signal); process.exit(0); });
    setInterval(() => {}, 1_000); console.log('ready');`;
  const child = spawn(process.execPath, ['--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child as unknown as ChildProcess & { pid: number };
}

/** Changes the file as if its supervisor was gone. */
function withoutSupervisor(state: string, change = (text: string) => text): void {
  const run = JSON.parse(readFileSync(fileOf(state), 'utf8'));
  const gone = { ...run, supervisor: { ...run.supervisor, startTime: 'earlier' } };
  writeFileSync(fileOf(state), change(JSON.stringify(gone)));
}

test('a second run in the same folder is refused, and is told where the first one is', async () => {
  const state = newState();
  const runFile = await claim(state);
  runFile.urls({ gateway: 'http://127.0.0.1:8600' });
  const refused = claim(state);
  await expect(refused).rejects.toThrow(AlreadyRunning);
  await expect(refused).rejects.toThrow(`pid ${process.pid}`);
  await expect(refused).rejects.toThrow('http://127.0.0.1:8600');
});

test('a removed run leaves the folder free', async () => {
  const state = newState();
  (await claim(state)).remove();
  expect(existsSync(fileOf(state))).toBe(false);
  await claim(state);
});

test('what a lost run left is ended, the last started first, and PostgreSQL by SIGINT', async () => {
  const state = newState();
  const runFile = await claim(state);
  const ended: string[] = [];
  const all: Promise<unknown>[] = [];
  for (const name of ['postgres', 'worker']) {
    const child = await waiting();
    child.stdout?.on('data', (chunk) => ended.push(`${name} ${String(chunk).trim()}`));
    all.push(once(child, 'close'));
    runFile.add(name, child.pid);
  }
  withoutSupervisor(state);
  await claim(state);
  await Promise.all(all);
  expect(ended).toEqual(['worker SIGTERM', 'postgres SIGINT']);
});

test('a process that has only the pid of an old one is left alone', async () => {
  const state = newState();
  const child = await waiting();
  (await claim(state)).add('worker', child.pid);
  withoutSupervisor(state, (text) => text.replaceAll(/"startTime":"[^"]*"/g, '"startTime":"past"'));
  await claim(state);
  expect(child.exitCode).toBeNull();
  expect(child.signalCode).toBeNull();
  expect(child.kill(0)).toBe(true);
});

test('a damaged file keeps no run from starting', async () => {
  const state = newState();
  writeFileSync(fileOf(state), '{"superv');
  await claim(state);
  expect(JSON.parse(readFileSync(fileOf(state), 'utf8')).supervisor.pid).toBe(process.pid);
});
