import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError, wholeNumber } from '@payonce/tooling/command';
import { ALL_FAULTS } from './faults/all.js';
import type { Fault } from './faults/fault.js';

export interface ChaosOptions {
  readonly json: boolean;
  readonly seconds: number;
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly gateways: number;
  readonly workers: number;
  /** A built checkout of the previous release. */
  readonly former: string | null;
}

const DEFAULT_SECONDS = 300;
const SHORTEST_S = 5;
/**
 * Two of each reveal faults that one alone hides. A worker has some twenty connections to
 * PostgreSQL, of 120.
 */
const DEFAULT_PROCESSES = '2';
const MOST_PROCESSES = 3;
/** Everything that was sent is kept in memory. */
const LONGEST_S = 3_600;

/** @returns the text to print instead, if help was requested */
export function readOptions(args: readonly string[]): ChaosOptions | { readonly help: string } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: String(DEFAULT_SECONDS) },
      seed: { type: 'string' },
      faults: { type: 'string' },
      gateways: { type: 'string', default: DEFAULT_PROCESSES },
      workers: { type: 'string', default: DEFAULT_PROCESSES },
      former: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { help: help() };
  return {
    json: values.json,
    seconds: wholeNumber('--seconds', values.seconds, SHORTEST_S, LONGEST_S),
    seed:
      values.seed === undefined
        ? randomInt(1, 2 ** 32)
        : wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1),
    faults: values.faults === undefined ? ALL_FAULTS : values.faults.split(',').map(faultNamed),
    gateways: wholeNumber('--gateways', values.gateways, 1, MOST_PROCESSES),
    workers: wholeNumber('--workers', values.workers, 1, MOST_PROCESSES),
    former: values.former === undefined ? null : builtCheckout(values.former),
  };
}

function builtCheckout(folder: string): string {
  const root = resolve(folder);
  for (const app of ['gateway', 'worker']) {
    const main = join(root, 'apps', app, 'dist', 'main.js');
    if (!existsSync(main)) {
      throw new UsageError(
        `--former: ${main} is missing; check out the release there and build it`,
      );
    }
  }
  return root;
}

function faultNamed(name: string): Fault {
  const fault = ALL_FAULTS.find((one) => one.name === name);
  if (fault) return fault;
  throw new UsageError(
    `no fault is named ${name}; there are ${ALL_FAULTS.map((one) => one.name).join(', ')}`,
  );
}

function help(): string {
  const width = Math.max(...ALL_FAULTS.map(({ name }) => name.length));
  const faults = ALL_FAULTS.map(({ name, does }) => `  ${name.padEnd(width)}  ${does}`);
  return `npm run chaos -- [--seconds N] [--seed S] [--faults a,b] [--gateways N] [--workers N]
                     [--former DIR] [--json]

Starts its own PostgreSQL, Redis, gateways and workers. Sends them signed notifications of all three
providers, and receives the order events as a merchant would. Injects faults meanwhile, and counts what
was lost, doubled, falsely acknowledged or forged. Exits non-zero unless every count is 0.

  --seconds N   seconds of load and faults, ${SHORTEST_S} to ${LONGEST_S} (${DEFAULT_SECONDS}); start and last recovery come on top
  --seed S      repeats the faults of that seed, in the same order (without it a seed is chosen and printed)
  --faults a,b  only these faults
  --gateways N  and --workers N: how many of each, 1 to ${MOST_PROCESSES} (${DEFAULT_PROCESSES})
  --former DIR  a built checkout of the previous release, which runs beside this one for a while
  --json        one JSON object per line, the last one for the whole run; progress goes to standard error

Faults:
${faults.join('\n')}`;
}
