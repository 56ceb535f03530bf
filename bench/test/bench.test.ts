import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runScript } from '@payonce/testkit/machine/output';
import { storeFolder } from '@payonce/testkit/stores/store-folder';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const module = pathToFileURL(join(root, 'bench', 'dist', 'main.js')).href;
/** One of each kind: they share their stores, processes and load with the others. */
const NAMES = ['verify.alipay', 'verify.wechatpay', 'ack.naive', 'apply.naive', 'ack.latency'];
/** The row without a baseline. */
const ALONE = 'ack.latency';

let state: string;
beforeEach(() => {
  state = storeFolder('bench');
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

/** The compiled command in a separate process, as `npm run bench` runs it. */
async function run(...args: string[]) {
  const target = JSON.stringify({ root, state, args });
  const { ended, stdout, stderr } = runScript(
    `import { bench } from ${JSON.stringify(module)}; process.exitCode = await bench(${target});`,
  );
  return { code: await ended, stdout: stdout(), stderr: stderr() };
}

test('a shortened run on real stores and processes prints its measurements, one JSON object per line', async () => {
  const only = NAMES.flatMap((name) => ['--only', name]);
  const { code, stdout, stderr } = await run('--quick', '--json', ...only);
  expect(code, stderr).toBe(0);
  const measurements = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(measurements.map(({ name }) => name)).toEqual(NAMES);
  for (const measurement of measurements) {
    expect(Object.keys(measurement)).toEqual(['name', 'value', 'unit', 'baseline', 'ratio']);
    expect(measurement.value, String(measurement.name)).toBeGreaterThan(0);
    // A shortened run on a busy machine says nothing about speed.
    if (measurement.name === ALONE) expect(measurement.ratio).toBeNull();
    else expect(measurement.ratio, String(measurement.name)).toBeGreaterThan(0);
  }
});

test('two builds take turns in one run, each with a separate schema', async () => {
  // Against itself: the test compares the commands, not two versions.
  const rows = process.env.PAYONCE_TEST_FULL
    ? ['ack.floor', 'ack.standby', 'apply.floor', 'latency', 'growth']
    : ['latency', 'growth'];
  const only = rows.flatMap((name) => ['--only', name]);
  const { code, stdout, stderr } = await run('--quick', '--json', '--against', root, ...only);
  expect(code, stderr).toBe(0);
  const measurements = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number | string>);
  const names = rows.flatMap((name) => (name === 'latency' ? [name, 'latency.p50'] : [name]));
  expect(measurements.map(({ name }) => name)).toEqual(names);
  for (const measurement of measurements) {
    const keys = ['name', 'value', 'unit', 'baseline', 'ratio', 'min', 'max', 'rounds'];
    expect(Object.keys(measurement)).toEqual(keys);
    for (const name of ['value', 'baseline', 'ratio', 'min', 'max']) {
      expect(measurement[name], `${measurement.name} ${name}`).toBeGreaterThan(0);
    }
    expect(measurement.rounds).toBe(1);
  }
});

test("a folder without a build, and a row without a build's side, are wrong command lines", async () => {
  const noBuild = await run('--against', state);
  expect(noBuild.code).toBe(2);
  expect(noBuild.stderr).toContain('is no built checkout: it has no apps/gateway/dist/main.js');
  const noRow = await run('--against', root, '--only', 'verify.alipay');
  expect(noRow.code).toBe(2);
  expect(noRow.stderr).toContain('there are ack.floor, ack.standby, apply.floor, latency, growth');
  const noRounds = await run('--rounds', '0');
  expect(noRounds.code).toBe(2);
});

test('an unknown comparison is a wrong command line', async () => {
  const { code, stderr } = await run('--only', 'nothing');
  expect(code).toBe(2);
  expect(stderr).toContain('verify.alipay');
});
