import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runScript } from '@payonce/testkit/machine/output';
import { until } from '@payonce/testkit/machine/poll';
import { expect, test } from 'vitest';

const built = (file: string) =>
  pathToFileURL(join(import.meta.dirname, '../../tooling/dist', file)).href;
const CHECK = `process.on('SIGINT', () => { console.log('cleaned up'); process.exit(130); });
  setInterval(() => {}, 1_000); console.log('running');`;
const RUNNER = `import { run } from ${JSON.stringify(built('run.js'))};
  const ended = run(process.execPath, ['--eval', ${JSON.stringify(CHECK)}], 'inherit');
  console.log(await ended.catch(({ message }) => message));`;

/** Signals a script that says that it is running. @returns all of its output, and its exit code */
async function signalled(script: string, signal: NodeJS.Signals) {
  const { child, ended, stdout } = runScript(script);
  await until('the script to run', 15_000, () => stdout().includes('running'));
  child.kill(signal);
  return { code: await ended, output: stdout() };
}

test.each(['SIGTERM', 'SIGHUP'] as const)(
  'a check that runs cleans up when npm test alone gets %s, and nothing follows it',
  async (signal) => {
    const { output } = await signalled(RUNNER, signal);
    expect(output).toBe(`running\ncleaned up\nstopped (${signal})\n`);
  },
);

const STOPPABLE = `import { stopRequests } from ${JSON.stringify(built('stop-requests.js'))};
  const alive = setInterval(() => {}, 1_000);
  stopRequests().then((why) => { console.log(why); clearInterval(alive); });
  console.log('running');`;

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'a supervisor that gets %s is told so, and is not ended by it',
  async (signal) => {
    expect(await signalled(STOPPABLE, signal)).toEqual({ output: `running\n${signal}\n`, code: 0 });
  },
);

test('a supervisor whose parent was killed stops by itself', async () => {
  const parent = `import { spawn } from 'node:child_process';
    spawn(process.execPath, ['--input-type=module', '--eval', ${JSON.stringify(STOPPABLE)}],
      { stdio: ['ignore', 'inherit', 'inherit'] });`;
  // The output is closed when the orphan, which inherited it, has ended too.
  const { output } = await signalled(parent, 'SIGKILL');
  expect(output).toBe('running\nthe process that started it is gone\n');
});
