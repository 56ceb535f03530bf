import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runScript } from '@payonce/testkit/machine/output';
import { eventually } from '@payonce/testkit/machine/poll';
import { anyFreePort, takePort } from '@payonce/testkit/machine/ports';
import { onTestFinished, test } from 'vitest';

const module = pathToFileURL(
  join(import.meta.dirname, '../../packages/testkit/dist/machine/ports.js'),
).href;
const FIRST = 9400;

/** Takes a port like a start, prints it, and does not listen on it yet. */
async function starting(): Promise<number> {
  const code = `import { takePort } from ${JSON.stringify(module)};
    console.log(await takePort(${FIRST})); setInterval(() => {}, 1e6);`;
  const { child, ended, stdout } = runScript(code);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await eventually(() => stdout() !== '');
  return Number(stdout());
}

test('concurrent starts never choose the same port, however long one takes until it listens', async ({
  expect,
}) => {
  const chosen = await Promise.all([starting(), starting(), starting(), starting()]);
  expect(new Set(chosen).size, chosen.join()).toBe(4);
  expect(chosen.every((port) => port >= FIRST && port < FIRST + 100)).toBe(true);
});

test('any free port is kept too: a later start takes another one, and no connection gets it', async ({
  expect,
}) => {
  const port = await anyFreePort();
  expect(port).toBeLessThan(32_768);
  expect(await takePort(port)).not.toBe(port);
});
