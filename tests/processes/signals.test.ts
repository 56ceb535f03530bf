import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const module = pathToFileURL(join(import.meta.dirname, '../../tooling/dist/run.js')).href;
const CHECK = `process.on('SIGINT', () => { console.log('cleaned up'); process.exit(130); });
  setInterval(() => {}, 1_000); console.log('running');`;
const RUNNER = `import { run } from ${JSON.stringify(module)};
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
