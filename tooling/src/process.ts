import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child and the promise of its end, attached from the first moment so that no exit is missed. */
export interface OwnedProcess {
  readonly name: string;
  readonly pid: number;
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
}

/**
 * Starts a child in a separate session: Ctrl-C in the terminal reaches only the supervisor, which
 * then stops its children in order.
 */
export function own(
  name: string,
  command: string,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly output: number | 'ignore' | 'pipe';
    readonly uid?: number;
    readonly gid?: number;
  },
): OwnedProcess {
  const child = spawn(command, [...args], {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', options.output, options.output],
    detached: true,
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  if (child.pid === undefined) throw new Error(`${name}: ${command} could not be started`);
  return { name, pid: child.pid, child, exited };
}

/** Sends the signal, waits, and after `limitMs` sends SIGKILL. Returns how it ended. */
export async function stop(
  owned: OwnedProcess,
  signal: NodeJS.Signals,
  limitMs: number,
): Promise<Exit> {
  if (owned.child.exitCode === null && owned.child.signalCode === null) owned.child.kill(signal);
  const limit = setTimeout(() => owned.child.kill('SIGKILL'), limitMs);
  const exit = await owned.exited;
  clearTimeout(limit);
  return exit;
}

/**
 * Distinguishes a process from a later one with the same number: its start time (Linux: field 22 of
 * /proc/PID/stat, in clock ticks since boot). Null when it is gone; "unknown" without /proc.
 */
export function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    if (process.platform === 'linux') return null;
  }
  try {
    process.kill(pid, 0);
    return 'unknown';
  } catch {
    return null;
  }
}

/** Waits until the condition holds. @throws Error naming `what` after `limitMs`. */
export async function until(
  what: string,
  limitMs: number,
  holds: () => Promise<boolean> | boolean,
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** With its last log lines: the log may be in a folder that is removed. */
export function endedAtStart(name: string, logFile: string): Error {
  const words = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
  return new Error(`${name} ended at start; its log (${logFile}) ends with\n${words}`);
}
