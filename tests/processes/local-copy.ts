import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outputOf } from '@payonce/testkit/machine/output';
import { until } from '@payonce/testkit/machine/poll';
import { startTimeOf } from '@payonce/testkit/machine/process';
import { postgresHome } from '@payonce/testkit/stores/postgres-binaries';

const root = join(import.meta.dirname, '..', '..');

/** A copy of this clone (hard links) in a folder that only this user can enter (0700). */
export interface LocalCopy {
  readonly folder: string;
  remove(): void;
}

export function copyClone(): LocalCopy {
  const folder = mkdtempSync(join(tmpdir(), 'payonce-clone-'));
  for (const name of readdirSync(root)) {
    if (name === '.payonce' || name === '.git') continue;
    execFileSync('cp', ['-al', join(root, name), folder]);
  }
  return {
    folder,
    remove: () => {
      // Root's data is elsewhere when the folder is closed to PostgreSQL's user.
      const { data } = postgresHome(join(folder, '.payonce', 'postgres'));
      for (const path of [data, folder]) rmSync(path, { recursive: true, force: true });
    },
  };
}

/** `npm …` in the copy, with all its output. */
export interface RunningNpm {
  readonly pid: number;
  readonly exited: Promise<number | null>;
  output(): string;
  type(text: string): void;
}

/**
 * @param options.terminal in a pseudo-terminal, so that Ctrl-C reaches everything as in a terminal
 */
export function npm(
  copy: LocalCopy,
  script: string,
  options: { readonly terminal?: boolean; readonly env?: NodeJS.ProcessEnv } = {},
): RunningNpm {
  const [command, args] = options.terminal
    ? ['script', ['--quiet', '--return', '--command', `npm ${script}`, '/dev/null']]
    : ['npm', script.split(' ')];
  const child = spawn(command, args, {
    cwd: copy.folder,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  if (child.pid === undefined) throw new Error(`${command} could not be started`);
  const { ended, stdout, stderr } = outputOf(child);
  return {
    pid: child.pid,
    exited: ended,
    output: () => stdout() + stderr(),
    type: (text) => child.stdin.write(text),
  };
}

export interface Remembered {
  readonly name: string;
  readonly pid: number;
  readonly startTime: string | null;
}

export interface Run {
  readonly supervisor: Remembered;
  readonly processes: readonly Remembered[];
}

export function readRun(copy: LocalCopy): Run {
  return JSON.parse(readFileSync(join(copy.folder, '.payonce', 'run.json'), 'utf8')) as Run;
}

export function hasRunFile(copy: LocalCopy): boolean {
  return existsSync(join(copy.folder, '.payonce', 'run.json'));
}

/** Waits for the words, or fails with all output. */
export async function printed(running: RunningNpm, words: string, limitMs: number): Promise<void> {
  await until(`"${words}"`, limitMs, () => running.output().includes(words)).catch((error) => {
    throw new Error(`${error.message}; printed:\n${running.output()}`);
  });
}

/** Names of those that still live, as the same processes. */
export function alive(run: Run): string[] {
  return [run.supervisor, ...run.processes]
    .filter(({ pid, startTime }) => startTimeOf(pid) === startTime)
    .map(({ name }) => name);
}

/** A safety net for a failing test: ends the remaining processes. */
export function killAll(run: Run): void {
  for (const { pid, startTime } of [run.supervisor, ...run.processes]) {
    if (startTime !== null && startTimeOf(pid) === startTime) process.kill(pid, 'SIGKILL');
  }
}
