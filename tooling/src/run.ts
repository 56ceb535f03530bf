import { spawn } from 'node:child_process';

/**
 * Runs a program to its end. A signal that only this process gets, and not the whole terminal, is
 * passed on as Ctrl-C, after which the program cleans up. (On any other signal vitest ends at once
 * and leaves its stores running.)
 * @returns its exit code; 127 when it could not be started
 * @throws Error after such a signal, when the program has ended
 */
export function run(
  command: string,
  args: readonly string[],
  stdio: 'inherit' | 'ignore',
  env: NodeJS.ProcessEnv = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { stdio, env: { ...process.env, ...env } });
    let stopped: NodeJS.Signals | null = null;
    const stop = (signal: NodeJS.Signals) => {
      stopped = signal;
      child.kill('SIGINT');
    };
    for (const signal of FORWARDED) process.on(signal, stop);
    const end = (code: number) => {
      for (const signal of FORWARDED) process.off(signal, stop);
      if (stopped === null) resolve(code);
      else reject(new Error(`stopped (${stopped})`));
    };
    child.once('error', () => end(127));
    child.once('close', (code) => end(code ?? 1));
  });
}

const FORWARDED = ['SIGTERM', 'SIGHUP'] as const;
