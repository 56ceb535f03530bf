import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runScript } from '@payonce/testkit/machine/output';
import { until } from '@payonce/testkit/machine/poll';
import { startTimeOf } from '@payonce/testkit/machine/process';
import { postgresHome } from '@payonce/testkit/stores/postgres-binaries';
import { storeFolder } from '@payonce/testkit/stores/store-folder';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const module = pathToFileURL(join(root, 'chaos', 'dist', 'main.js')).href;
/** For 30 s with six faults, on a busy machine. */
const RUN_LIMIT_MS = 150_000;
const WRONGS = [
  'lost',
  'doubled',
  'falselyAcknowledged',
  'forgedAccepted',
  'eventsLost',
  'eventsUnsigned',
  'eventsOutOfOrder',
  'eventsFalse',
  'rowsPerContent',
  'conflicts',
  'deadLetters',
  'foreignTradeBlocked',
  'evidenceDropped',
  'heldUp',
  'beganLate',
  'orderEventsTwice',
  'deliveriesStuck',
] as const;

/** The compiled command in a separate process, as `npm run chaos` runs it. */
type Running = ReturnType<typeof runScript>;

let state: string;
const started: Running[] = [];

beforeEach(() => {
  state = storeFolder('chaos');
});
afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    child.kill('SIGTERM');
    await ended;
  }
  rmSync(state, { recursive: true, force: true });
});

function start(...args: string[]): Running {
  const command = JSON.stringify({ root, state, args });
  const code = `import { chaos } from ${JSON.stringify(module)}; process.exitCode = await chaos(${command});`;
  const running = runScript(code);
  started.push(running);
  return running;
}

/** The exit code; fails with all output when it does not end. */
async function withinLimit({ ended, stdout, stderr }: Running): Promise<number | null> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`not ended:\n${stdout()}${stderr()}`)), RUN_LIMIT_MS).unref();
  });
  return Promise.race([ended, late]);
}

interface Remembered {
  readonly pid: number;
  readonly startTime: string | null;
}

/** Every process of the run, from its run file. */
function processes(): readonly Remembered[] {
  const file = join(state, 'chaos', 'run.json');
  const run = JSON.parse(readFileSync(file, 'utf8')) as { processes: Remembered[] };
  return run.processes;
}

function alive(all: readonly Remembered[]): number {
  return all.filter(({ pid, startTime }) => startTimeOf(pid) === startTime).length;
}

/** Where root's PostgreSQL keeps its data if it may not enter the folder; the call creates it. */
function postgresData(): string {
  return postgresHome(join(state, 'chaos', 'cluster', 'postgres')).data;
}

/** Logs stay for inspection; everything else is gone. */
function nothingIsLeft(data: string): void {
  expect(readdirSync(join(state, 'chaos'))).toEqual(['logs']);
  expect(existsSync(data)).toBe(false);
}

test('a short run on three gateways and three workers loses nothing, doubles nothing, acknowledges and accepts nothing falsely, and tells the merchant all of it', async () => {
  const faults = [
    'gateway-killed',
    'redis-killed',
    'worker-killed-delivering',
    'redis-full',
    'hot-order',
    'consumer-links-break',
  ];
  const data = postgresData();
  const size = ['--seconds', '30', '--gateways', '3', '--workers', '3'];
  const args = ['--json', ...size, '--seed', '20261123', '--faults', faults.join(',')];
  const running = start(...args);
  const code = await withinLimit(running);
  const output = running.stdout() + running.stderr();
  expect(code, output).toBe(0);
  const lines = running
    .stdout()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(new Set(lines.map(({ fault }) => fault)), output).toEqual(new Set([...faults, 'all']));
  for (const line of lines) {
    expect(line, output).toMatchObject(Object.fromEntries(WRONGS.map((name) => [name, 0])));
    expect(Object.keys(line)).toEqual([
      'fault',
      'sent',
      'acknowledged',
      'applied',
      ...WRONGS.slice(0, 4),
      'eventsExpected',
      'eventsDelivered',
      ...WRONGS.slice(4),
      'recoverySeconds',
    ]);
  }
  const all = lines.at(-1);
  expect(all?.fault).toBe('all');
  expect(all?.applied).toBeGreaterThan(500);
  expect(all?.applied).toBe(all?.acknowledged);
  expect(all?.eventsDelivered).toBeGreaterThan(500);
  expect(all?.eventsDelivered).toBe(all?.eventsExpected);
  nothingIsLeft(data);
});

test('a run that is interrupted leaves no process and no data behind', async () => {
  const data = postgresData();
  const running = start('--seconds', '60', '--faults', 'redis-stopped');
  // In the middle of the first fault, with Redis suspended.
  await until('the fault', 60_000, () => running.stderr().includes('redis-stopped …'));
  const before = processes();
  expect(alive(before)).toBeGreaterThanOrEqual(7);
  running.child.kill('SIGINT');
  expect(await running.ended).toBe(1);
  expect(alive(before)).toBe(0);
  nothingIsLeft(data);
});

test('a wrong command line is reported in one line, and starts nothing', async () => {
  const running = start('--faults', 'flood');
  expect(await running.ended).toBe(2);
  expect(running.stderr()).toMatch(/^✗ no fault is named flood; there are gateway-killed, /);
  expect(readdirSync(state)).toEqual([]);
});
