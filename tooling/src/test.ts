import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePrograms } from './ensure-programs.js';
import { CHROMIUM, PGBOUNCER, REDIS } from './programs.js';
import { run } from './run.js';
import type { Place } from './supervisor.js';

/** The checks, cheapest first. Each is a program of `node_modules/.bin` with its arguments. */
const CHECKS: readonly (readonly [title: string, program: string, ...args: string[]])[] = [
  ['format and lint', 'biome', 'check', '--error-on-warnings', '.'],
  ['types', 'tsc', '--noEmit'],
  ['unused code', 'knip', '--no-progress'],
];

/**
 * The tests, cheapest first, by the projects of vitest.config.ts; a failed stage does not stop the
 * next one.
 */
const TESTS: readonly (readonly [title: string, ...projects: string[]])[] = [
  ['tests of parts', 'unit'],
  ['tests on real stores', 'stores'],
  ['tests in a browser and of whole processes', 'browser', 'processes'],
];

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const HELP = `npm test               every check and every test; long tests run at a small size
npm run test:full      the same tests, each at the size that the documents state: up to an hour`;

/** Tests of a promise under load read it: without it their sizes are small. */
const FULL_SIZE = 'PAYONCE_TEST_FULL';

/**
 * `npm test`: format, lint, types, unused code, then every test (import directions are tests too),
 * each stage with its time. The last line is `N passed, N failed`, from vitest's reports. With
 * `--full` every test runs at its full size.
 */
export async function test(place: Place & { readonly args: readonly string[] }): Promise<number> {
  if (place.args.some((arg) => arg !== '--full')) {
    console.log(HELP);
    return place.args.includes('--help') ? 0 : 2;
  }
  if (place.args.includes('--full')) process.env[FULL_SIZE] = '1';
  return checkAndTest(place).catch((error: Error) => {
    console.error(`✗ ${error.message}`);
    return 1;
  });
}

async function checkAndTest({ root, state }: Place): Promise<number> {
  if (!(await ensurePrograms([REDIS, CHROMIUM, PGBOUNCER]))) return 1;
  for (const [title, program, ...args] of CHECKS) {
    if ((await stage(title, bin(root, program), args)) !== 0) return 1;
  }
  const counts: Counts[] = [];
  for (const [title, ...projects] of TESTS) {
    const report = join(state, `test-report-${projects.join('-')}.json`);
    rmSync(report, { force: true });
    const code = await stage(title, bin(root, 'vitest'), [
      'run',
      ...projects.flatMap((project) => ['--project', project]),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ]);
    counts.push(countsOf(report, code));
  }
  return summarise(counts);
}

function countsOf(report: string, code: number): Counts {
  if (!existsSync(report)) {
    console.error('✗ vitest ended without a report');
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const {
    numPassedTests = 0,
    numFailedTests = 0,
    numPendingTests = 0,
    numTodoTests = 0,
  } = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
  // A file that cannot be loaded counts as no failed test, and neither does a stage without tests;
  // vitest's exit code shows them.
  const failed = Math.max(numFailedTests, code === 0 && numPassedTests > 0 ? 0 : 1);
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
}

function summarise(counts: readonly Counts[]): number {
  const sum = (of: keyof Counts) => counts.reduce((total, one) => total + one[of], 0);
  const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
  console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
  return sum('failed') === 0 ? 0 : 1;
}

function bin(root: string, program: string): string {
  return join(root, 'node_modules', '.bin', program);
}

async function stage(title: string, command: string, args: readonly string[]): Promise<number> {
  const started = Date.now();
  console.log(`· ${title}`);
  const code = await run(command, args, 'inherit');
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${code === 0 ? '✓' : '✗'} ${title} … ${seconds} s`);
  return code;
}
