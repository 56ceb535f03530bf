import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly Skip[];
}

export interface Skip {
  /** From the repository's root. */
  readonly file: string;
  readonly title: string;
}

/** The part of vitest's JSON report that is used here. */
interface Report {
  readonly numPassedTests?: number;
  readonly numFailedTests?: number;
  readonly testResults?: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** Tests that only some machines can run: what each needs, and the variable that names it. */
const OPTIONAL = [
  {
    file: /\/vectors\.test\.ts$/,
    variable: 'PAYONCE_VECTORS',
    needs: 'a folder with published test vectors',
  },
  {
    file: /\/upgrade\.test\.ts$/,
    variable: 'PAYONCE_FORMER_DIR',
    needs: 'a build of the previous release',
  },
] as const;

/** One that counts as a step's result, for a step without a report. */
export function countsOfExit(code: number): Counts {
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: [] };
}

/** @param code vitest's exit code */
export function countsOfReport(root: string, file: string, code: number): Counts {
  if (!existsSync(file)) {
    console.error('✗ vitest ended without a report');
    return { passed: 0, failed: 1, skipped: [] };
  }
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  const { numPassedTests = 0, numFailedTests = 0, testResults = [] } = report;
  // A file that cannot be loaded counts as no failed test, and neither does a stage without tests;
  // vitest's exit code shows them.
  const failed = Math.max(numFailedTests, code === 0 && numPassedTests > 0 ? 0 : 1);
  const skipped = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ fullName }) => ({ file: relative(root, name), title: fullName })),
  );
  return { passed: numPassedTests, failed, skipped };
}

/** Why a test may be skipped at the full size; null: it may not. */
export function excuseOf({ file }: Skip, env: NodeJS.ProcessEnv): string | null {
  const optional = OPTIONAL.find((one) => one.file.test(`/${file}`));
  if (optional === undefined || env[optional.variable] !== undefined) return null;
  return `needs ${optional.needs}: ${optional.variable}`;
}

/** The last line is `N passed, N failed`. At full size a skip without an excuse is a failure. */
export function summarise(
  counts: readonly Counts[],
  full: boolean,
  env: NodeJS.ProcessEnv,
): { readonly lines: readonly string[]; readonly code: number } {
  const sum = (of: 'passed' | 'failed') => counts.reduce((total, one) => total + one[of], 0);
  const skips = counts.flatMap(({ skipped }) => skipped);
  const judged = full ? skips.map((skip) => ({ ...skip, excuse: excuseOf(skip, env) })) : [];
  const refused = judged.filter(({ excuse }) => excuse === null).length;
  const failed = sum('failed') + refused;
  const skipped = skips.length - refused;
  const listed = new Set(
    judged.map(({ file, title, excuse }) =>
      excuse === null ? `✗ skipped: ${file}: ${title}` : `- skipped: ${file} (${excuse})`,
    ),
  );
  const total = `${sum('passed')} passed, ${failed} failed`;
  return {
    lines: [...listed, skipped > 0 ? `${total}, ${skipped} skipped` : total],
    code: failed === 0 ? 0 : 1,
  };
}
