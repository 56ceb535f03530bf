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
 * `npm test`: format, lint, types, unused code, then every test in one vitest (import directions are
 * tests too). The last line is `N passed, N failed`, read from vitest's own report.
 */
export async function test({ root, state }: Place): Promise<number> {
  if (!(await ensurePrograms([REDIS, CHROMIUM, PGBOUNCER]))) return 1;
  for (const [title, program, ...args] of CHECKS) {
    if ((await stage(title, bin(root, program), args)) !== 0) return 1;
  }
  const report = join(state, 'test-report.json');
  rmSync(report, { force: true });
  const code = await stage('tests', bin(root, 'vitest'), [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  return summarise(report, code);
}

function summarise(report: string, code: number): number {
  if (!existsSync(report)) {
    console.error('✗ vitest ended without a report');
    return 1;
  }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
    readFileSync(report, 'utf8'),
  ) as Record<string, number>;
  const skipped = (numPendingTests ?? 0) + (numTodoTests ?? 0);
  // A file that cannot be loaded fails no test of its own; vitest's exit code knows.
  const failed = Math.max(numFailedTests ?? 0, code === 0 ? 0 : 1);
  console.log(
    `${numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
  );
  return failed === 0 && (numPassedTests ?? 0) > 0 ? 0 : 1;
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
