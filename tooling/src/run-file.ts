import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '@payonce/testkit/machine/files';
import { until } from '@payonce/testkit/machine/poll';
import { startTimeOf } from '@payonce/testkit/machine/process';

/**
 * A process in the run file: the start time distinguishes it from a later one with the same pid.
 */
interface Remembered {
  readonly name: string;
  readonly pid: number;
  readonly startTime: string | null;
}

interface Run {
  readonly supervisor: Remembered;
  readonly processes: readonly Remembered[];
  readonly urls: Readonly<Record<string, string>>;
}

/** `.payonce/run.json`: the run in this folder, and its ports. There is one at a time. */
export interface RunFile {
  add(name: string, pid: number): void;
  urls(urls: Readonly<Record<string, string>>): void;
  remove(): void;
}

export class AlreadyRunning extends Error {
  constructor(run: Run) {
    const urls = Object.entries(run.urls).map(([name, url]) => `\n  ${name.padEnd(10)} ${url}`);
    super(
      `payonce already runs in this folder (pid ${run.supervisor.pid}).${urls.join('')}\n` +
        'Stop it with Ctrl-C where it runs, then start again.',
    );
  }
}

/**
 * Claims the folder for this process. The supervisor of an earlier run may be gone (SIGKILL, power
 * failure). Then this first ends its processes by pid, the last started first, if they are still
 * the same processes.
 * @throws AlreadyRunning
 */
export async function claim(state: string): Promise<RunFile> {
  mkdirSync(state, { recursive: true });
  const file = join(state, 'run.json');
  let run: Run = { supervisor: remember('supervisor', process.pid), processes: [], urls: {} };
  const write = () => writeFileAtomically(file, JSON.stringify(run, null, 2));
  while (!create(file, run)) await takeOver(file);
  return {
    add: (name, pid) => {
      run = { ...run, processes: [...run.processes, remember(name, pid)] };
      write();
    },
    urls: (urls) => {
      run = { ...run, urls };
      write();
    },
    remove: () => rmSync(file, { force: true }),
  };
}

function create(file: string, run: Run): boolean {
  try {
    writeFileSync(file, JSON.stringify(run, null, 2), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function takeOver(file: string): Promise<void> {
  const left = read(file);
  if (left && isSame(left.supervisor)) throw new AlreadyRunning(left);
  const stale = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, stale); // of two starts at once, one gets it
  } catch {
    return;
  }
  for (const one of [...(left?.processes ?? [])].reverse()) await end(one);
  rmSync(stale, { force: true });
}

function read(file: string): Run | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Run;
  } catch {
    return null;
  }
}

async function end(one: Remembered): Promise<void> {
  if (!isSame(one)) return;
  // For PostgreSQL SIGINT means "end sessions and stop"; the others get SIGTERM.
  process.kill(one.pid, one.name === 'postgres' ? 'SIGINT' : 'SIGTERM');
  try {
    await until(
      `${one.name} (pid ${one.pid}), left from an earlier run, to end`,
      15_000,
      () => !isSame(one),
    );
  } catch {
    process.kill(one.pid, 'SIGKILL');
    await until(`${one.name} (pid ${one.pid}) to end`, 5_000, () => !isSame(one));
  }
}

function remember(name: string, pid: number): Remembered {
  return { name, pid, startTime: startTimeOf(pid) };
}

function isSame(one: Remembered): boolean {
  const now = startTimeOf(one.pid);
  return now !== null && now === one.startTime;
}
