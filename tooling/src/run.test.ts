import { expect, test } from 'vitest';
import { run } from './run.js';

const node = (script: string, env?: NodeJS.ProcessEnv) =>
  run(process.execPath, ['--eval', script], 'ignore', env);

test('returns the exit code of the program', async () => {
  expect(await node('process.exitCode = 0')).toBe(0);
  expect(await node('process.exitCode = 3')).toBe(3);
});

test('a program that a signal ends has failed', async () => {
  expect(await node("process.kill(process.pid, 'SIGKILL')")).toBe(1);
});

test('a program that cannot be started has failed', async () => {
  expect(await run('payonce-no-such-program', [], 'ignore')).toBe(127);
});

test('the given variables are added to those of this process', async () => {
  const script = 'process.exitCode = process.env.PATH && process.env.GIVEN === "yes" ? 0 : 1';
  expect(await node(script, { GIVEN: 'yes' })).toBe(0);
});

test('no handler of a signal stays behind', async () => {
  const count = () => process.listenerCount('SIGTERM') + process.listenerCount('SIGHUP');
  const before = count();
  const running = node('');
  expect(count()).toBe(before + 2);
  await running;
  await run('payonce-no-such-program', [], 'ignore');
  expect(count()).toBe(before);
});
