import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Counts, countsOfReport, excuseOf, summarise } from './test-report.js';

const folder = mkdtempSync(join(tmpdir(), 'payonce-report-'));

function reported(report: object, code: number): Counts {
  const file = join(folder, 'report.json');
  writeFileSync(file, JSON.stringify(report));
  return countsOfReport('/clone', file, code);
}

const skip = (file: string) => ({ file, title: 'a promise' });

test('a run without a report is a failure, even if vitest ended with 0', () => {
  expect(countsOfReport('/clone', join(folder, 'none.json'), 0).failed).toBe(1);
});

test('a run without a passed test is a failure', () => {
  expect(reported({ numPassedTests: 0, numFailedTests: 0 }, 0).failed).toBe(1);
});

test('a file that cannot be loaded is a failure beside tests that passed', () => {
  expect(reported({ numPassedTests: 7, numFailedTests: 0 }, 1)).toMatchObject({
    passed: 7,
    failed: 1,
  });
});

test('failed tests are counted once, not again for the exit code', () => {
  expect(reported({ numPassedTests: 7, numFailedTests: 3 }, 1).failed).toBe(3);
});

test('whatever neither passed nor failed was skipped, and is named by its file', () => {
  const assertionResults = ['passed', 'failed', 'skipped', 'pending', 'todo'].map((status) => ({
    fullName: status,
    status,
  }));
  const testResults = [{ name: '/clone/tests/a.test.ts', assertionResults }];
  const { skipped } = reported({ numPassedTests: 1, numFailedTests: 1, testResults }, 1);
  expect(skipped).toEqual(
    ['skipped', 'pending', 'todo'].map((title) => ({ file: 'tests/a.test.ts', title })),
  );
});

test('a step without any excuse fails the full run for each skipped test; the small run counts them', () => {
  const counts = [{ passed: 2, failed: 0, skipped: [skip('tests/a.test.ts')] }];
  expect(summarise(counts, false, {})).toEqual({
    lines: ['2 passed, 0 failed, 1 skipped'],
    code: 0,
  });
  expect(summarise(counts, true, {})).toEqual({
    lines: ['✗ skipped: tests/a.test.ts: a promise', '2 passed, 1 failed'],
    code: 1,
  });
});

test('a test that needs a folder which nobody named is listed with its reason, once per file', () => {
  const file = 'tests/processes/upgrade.test.ts';
  const counts = [{ passed: 2, failed: 0, skipped: [skip(file), skip(file)] }];
  expect(summarise(counts, true, {})).toEqual({
    lines: [
      `- skipped: ${file} (needs a build of the previous release: PAYONCE_FORMER_DIR)`,
      '2 passed, 0 failed, 2 skipped',
    ],
    code: 0,
  });
});

test('a test that has its folder has no excuse', () => {
  const vectors = skip('packages/providers/src/alipay/vectors.test.ts');
  expect(excuseOf(vectors, {})).toContain('PAYONCE_VECTORS');
  expect(excuseOf(vectors, { PAYONCE_VECTORS: '/vectors' })).toBeNull();
});

test('one failed step fails the sum', () => {
  const passed = { passed: 5, failed: 0, skipped: [] };
  expect(summarise([{ passed: 0, failed: 1, skipped: [] }, passed], false, {})).toEqual({
    lines: ['5 passed, 1 failed'],
    code: 1,
  });
});
