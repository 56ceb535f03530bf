import { parseArgs } from 'node:util';

export interface TestOptions {
  readonly full: boolean;
  /** Names of steps; empty: all. */
  readonly only: readonly string[];
  /** For the faults of the long chaos run. */
  readonly seed: number;
}

interface KnownStep {
  readonly name: string;
  readonly onlyFull?: boolean;
}

/** @throws Error whose message says what is wrong with the command line */
export function readTestOptions(
  args: readonly string[],
  steps: readonly KnownStep[],
): TestOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      full: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const { full } = values;
  const only = values.only.flatMap((names) => names.split(','));
  for (const name of only) {
    const step = steps.find((one) => one.name === name);
    if (step === undefined) {
      const names = steps.map((one) => one.name).join(', ');
      throw new Error(`--only: there is no step '${name}'; the steps are ${names}`);
    }
    if (step.onlyFull && !full) {
      throw new Error(
        `--only: '${name}' belongs to the full size: npm run test:full -- --only ${name}`,
      );
    }
  }
  return { full, only, seed: seedOf(values.seed) };
}

function seedOf(text: string | undefined): number {
  if (text === undefined) return Math.floor(Math.random() * MOST);
  const seed = Number(text);
  if (/^\d+$/.test(text) && seed < MOST) return seed;
  throw new Error(`--seed must be a whole number below ${MOST}`);
}

const MOST = 2 ** 32;
