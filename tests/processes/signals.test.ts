import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const built = (file: string) =>
  pathToFileURL(join(import.meta.dirname, '../../tooling/dist', file)).href;
const CHECK = `process.on('SIGINT', () => { console.log('cleaned up'); process.exit(130); });
  setInterval(() => {}, 1_000); console.log('running');`;
const RUNNER = `import { run } from ${JSON.stringify(built('run.js'))};
  const ended = run(process.execPath, ['--eval', ${JSON.stringify(CHECK)}], 'inherit');
  console.log(await ended.catch(({ message }) => message));`;

test.each(['SIGTERM', 'SIGHUP'] as const)(
  'a check that runs cleans up when npm test alone gets %s, and nothing follows it',
  async (signal) => {
    const runner = spawn(process.execPath, ['--input-type=module', '--eval', RUNNER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    runner.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (chunk.includes('running')) runner.kill(signal);
    });
    await new Promise((resolve) => runner.once('close', resolve));
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
    const child = spawn(process.execPath, ['--input-type=module', '--eval', STOPPABLE], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (chunk.includes('running')) child.kill(signal);
    });
    const [code] = await once(child, 'close');
    expect({ output, code }).toEqual({ output: `running\n${signal}\n`, code: 0 });
  },
);

test('a supervisor whose parent was killed stops by itself', async () => {
  const parent = `import { spawn } from 'node:child_process';
    spawn(process.execPath, ['--input-type=module', '--eval', ${JSON.stringify(STOPPABLE)}],
      { stdio: ['ignore', 'inherit', 'inherit'] });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', parent], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    if (chunk.includes('running')) child.kill('SIGKILL');
  });
  // The output is closed when the orphan, which inherited it, has ended too.
  await once(child, 'close');
  expect(output).toBe('running\nthe process that started it is gone\n');
});
