import { type ChildProcess, spawn } from 'node:child_process';

/** The output of a child so far, and its end. */
export interface Output {
  stdout(): string;
  stderr(): string;
  /** The exit code, when all output has arrived; null after a signal. */
  readonly ended: Promise<number | null>;
}

export function outputOf(child: ChildProcess): Output {
  const chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (chunk: Buffer) => chunks[name].push(chunk));
  }
  return {
    stdout: () => Buffer.concat(chunks.stdout).toString(),
    stderr: () => Buffer.concat(chunks.stderr).toString(),
    ended: new Promise((resolve) => child.once('close', resolve)),
  };
}

/** Runs a text as a module in a separate Node. */
export function runScript(
  code: string,
  { args = [], cwd }: { readonly args?: readonly string[]; readonly cwd?: string } = {},
): Output & { readonly child: ChildProcess } {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
  });
  return { child, ...outputOf(child) };
}
