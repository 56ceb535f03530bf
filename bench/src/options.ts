import { parseArgs } from 'node:util';
import { UsageError } from '@payonce/tooling/command';
import { CASES, type Case } from './cases/all.js';

export interface BenchOptions {
  readonly json: boolean;
  readonly quick: boolean;
  readonly explain: boolean;
  /** The folder of another build, or null. */
  readonly against: string | null;
  /** Replaces the usual number. */
  readonly rounds: number | null;
  readonly cases: readonly Case[];
}

/** @returns the text to print instead, if help was requested */
export function readOptions(args: readonly string[]): BenchOptions | { readonly help: string } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      explain: { type: 'boolean', default: false },
      against: { type: 'string' },
      rounds: { type: 'string' },
      only: { type: 'string', multiple: true },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { help: help() };
  const { against = null } = values;
  if (against !== null && values.explain) {
    throw new UsageError('--explain shows the plans of this build only: leave out --against');
  }
  const cases = against === null ? CASES : CASES_AGAINST;
  return {
    json: values.json,
    quick: values.quick,
    explain: values.explain,
    against,
    rounds: values.rounds === undefined ? null : roundsIn(values.rounds),
    cases: values.only === undefined ? cases : values.only.map((name) => caseNamed(cases, name)),
  };
}

const CASES_AGAINST = CASES.filter(({ side }) => side !== undefined);

function caseNamed(cases: readonly Case[], name: string): Case {
  const found = cases.find((one) => one.name === name);
  if (found) return found;
  throw new UsageError(`no comparison is named ${name}; there are ${namesOf(cases)}`);
}

function namesOf(cases: readonly Case[]): string {
  return cases.map(({ name }) => name).join(', ');
}

function roundsIn(text: string): number {
  if (/^[1-9][0-9]?$/.test(text)) return Number(text);
  throw new UsageError(`--rounds ${text}: a number from 1 to 99`);
}

function help(): string {
  const width = Math.max(...CASES.map(({ name }) => name.length));
  const rows = CASES.map(({ name, does }) => `  ${name.padEnd(width)}  ${does}`);
  return `npm run bench -- [--only NAME]… [--rounds N] [--json] [--quick] [--against DIR | --explain]

Starts its own PostgreSQL (synchronous_commit=on) and Redis (AOF, appendfsync always), real gateways and
workers, and a load generator in a separate process. Each comparison takes turns with its baseline, five times;
the figures are medians. Progress goes to standard error. The whole run takes about half an hour.

  --only NAME    only this comparison; may be repeated
  --rounds N     rounds of each comparison (5; with --against 9)
  --json         one JSON object per line: name, value, unit, baseline, ratio
  --quick        shortened to seconds: shows that it works, not how fast it is
  --against DIR  instead: this build in turns with the one in DIR, a built checkout of another version
  --explain      instead: EXPLAIN (ANALYZE, BUFFERS) of every statement that applies a batch

With --against every other turn uses the gateway, the worker and the schema of DIR (A B, B A, …); stores and load
are the same. It compares ${namesOf(CASES_AGAINST)}, and prints the median, smallest and
largest ratio of the rounds (JSON: min, max, rounds as well). A ratio of 1 or more means that this build is as fast
or faster: a ratio of latencies is the other build's divided by this one's.

Comparisons:
${rows.join('\n')}`;
}
