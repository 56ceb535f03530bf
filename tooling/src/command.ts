/** What `tooling/payonce.mjs` passes to a command. */
export interface Command {
  /** The repository. */
  readonly root: string;
  /** Where a run of this clone may keep its files: in a folder with the command's name. */
  readonly state: string;
  readonly args: readonly string[];
}

/** A wrong command line; the message is for the person who typed it. */
export class UsageError extends Error {}

/** @returns 0 after its help, 2 for a wrong command line; otherwise ends the process */
export async function runCommand<Options extends object>(
  readOptions: () => Options | { readonly help: string },
  work: (options: Options) => Promise<number>,
): Promise<number> {
  try {
    const options = readOptions();
    if ('help' in options) {
      console.log(options.help);
      return 0;
    }
    // By then everything is cleaned up. Timers and connections of clients with stopped servers may
    // remain; this does not wait for them.
    process.exit(await work(options as Options));
  } catch (error) {
    console.error(`✗ ${error instanceof Error ? error.message : String(error)}`);
    if (isUsage(error)) return 2;
    process.exit(1);
  }
}

function isUsage(error: unknown): boolean {
  if (error instanceof UsageError) return true;
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE');
}

/** @throws UsageError unless the text is a whole number from `least` to `most` */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${option} must be a whole number from ${least} to ${most}`);
}

/** Writes lines to standard error, each with the seconds since now. */
export function stopwatch(): (line: string) => void {
  const startedAt = performance.now();
  return (line) => {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    console.error(`${seconds.padStart(6)} s  ${line}`);
  };
}
