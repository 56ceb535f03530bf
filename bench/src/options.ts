import { parseArgs } from 'node:util';
import { ROWS, type Row } from './rows/all.js';

export interface BenchOptions {
  readonly json: boolean;
  readonly quick: boolean;
  readonly explain: boolean;
  readonly rows: readonly Row[];
}

/** What is wrong with the command line; its message is for the person who typed it. */
export class UsageError extends Error {}

/** @returns the text to print instead, where help was asked for */
export function readOptions(args: readonly string[]): BenchOptions | { readonly help: string } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      explain: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { help: help() };
  return {
    json: values.json,
    quick: values.quick,
    explain: values.explain,
    rows: values.only === undefined ? ROWS : values.only.map(rowNamed),
  };
}

function rowNamed(name: string): Row {
  const row = ROWS.find((one) => one.name === name);
  if (row) return row;
  throw new UsageError(
    `no comparison is named ${name}; there are ${ROWS.map((one) => one.name).join(', ')}`,
  );
}

function help(): string {
  const width = Math.max(...ROWS.map(({ name }) => name.length));
  const rows = ROWS.map(({ name, does }) => `  ${name.padEnd(width)}  ${does}`);
  return `npm run bench -- [--only NAME]… [--json] [--quick] [--explain]

Starts its own PostgreSQL (synchronous_commit=on) and Redis (AOF, appendfsync always), real gateways and
workers, and a load generator in a process of its own. Each comparison takes turns with its baseline, five
times; the figures are medians. Progress is on the standard error. All of it takes about half an hour.

  --only NAME  this one; may be repeated
  --json       one object a line: name, value, unit, baseline, ratio
  --quick      shortened to seconds: shows that it works, not how fast it is
  --explain    instead: EXPLAIN (ANALYZE, BUFFERS) of every statement that applies a batch

Comparisons:
${rows.join('\n')}`;
}
