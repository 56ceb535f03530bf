import { spawn } from 'node:child_process';

/** Runs a program to its end. @returns its exit code; 127 when it could not be started */
export function run(
  command: string,
  args: readonly string[],
  stdio: 'inherit' | 'ignore',
  env: NodeJS.ProcessEnv = {},
): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, [...args], { stdio, env: { ...process.env, ...env } });
    child.once('error', () => resolve(127));
    child.once('close', (code) => resolve(code ?? 1));
  });
}
