import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { until } from './poll.js';

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

/** Where the output of a process goes. */
type Output = 'ignore' | 'pipe' | { readonly appendTo: string };

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
    readonly output: Output;
    readonly uid?: number;
    readonly gid?: number;
    /** Ctrl-C reaches it, too: nothing supervises it. */
    readonly sharesTerminal?: boolean;
  },
): OwnedProcess {
  const { output, sharesTerminal = false, ...rest } = options;
  const to = typeof output === 'string' ? output : openSync(output.appendTo, 'a');
  const child = spawn(command, [...args], {
    ...rest,
    stdio: ['ignore', to, to],
    detached: !sharesTerminal,
  });
  if (typeof to === 'number') closeSync(to); // the child has its own
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  if (child.pid === undefined) throw new Error(`${name}: ${command} could not be started`);
  return { name, pid: child.pid, child, exited };
}

export interface ProgramOptions {
  readonly name: string;
  /** The compiled program. */
  readonly main: string;
  readonly args?: readonly string[];
  /** In addition to the PATH; nothing else of this process's environment is passed on. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly output: Output;
  /** Called as soon as the process exists, long before it answers. */
  readonly onSpawn?: (owned: OwnedProcess) => void;
}

/** Starts a compiled program with Node, as deployed. @throws when there is no such file */
export function ownProgram({ name, main, args = [], env, onSpawn, ...rest }: ProgramOptions) {
  if (!existsSync(main)) throw new Error(`${main} is missing: the build did not run`);
  const owned = own(name, process.execPath, ['--enable-source-maps', main, ...args], {
    ...rest,
    env: { PATH: process.env.PATH, ...env },
  });
  onSpawn?.(owned);
  return owned;
}

/** Starts a compiled program, and waits until it is ready. @throws with its last log lines */
export async function startProgram(
  options: Omit<ProgramOptions, 'output'> & {
    readonly logFile: string;
    readonly isReady: () => Promise<boolean>;
    readonly limitMs?: number;
  },
): Promise<OwnedProcess> {
  const { logFile, isReady, limitMs = 30_000, ...program } = options;
  const owned = ownProgram({ ...program, output: { appendTo: logFile } });
  await untilReady(owned, logFile, limitMs, isReady);
  return owned;
}

/** Waits for a process that was started. @throws with its last log lines when it ends first */
export async function untilReady(
  owned: OwnedProcess,
  logFile: string,
  limitMs: number,
  isReady: () => Promise<boolean> | boolean,
): Promise<void> {
  await until(`${owned.name} to be ready (log: ${logFile})`, limitMs, () => {
    if (hasEnded(owned)) throw endedAtStart(owned.name, logFile);
    return isReady();
  });
}

/** Whether the address answers with a 2xx, such as `/readyz` of an app. */
export async function isOk(url: string): Promise<boolean> {
  const status = await statusOf(url);
  return status !== null && status >= 200 && status < 300;
}

/** The status of the answer; null without one in two seconds. */
export async function statusOf(url: string): Promise<number | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    // An unread body keeps its connection, and with it this process, alive.
    await response.arrayBuffer();
    return response.status;
  } catch {
    return null;
  }
}

export function hasEnded({ child }: OwnedProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Sends the signal, waits, and after `limitMs` sends SIGKILL. Returns how it ended. */
export async function stop(
  owned: OwnedProcess,
  signal: NodeJS.Signals,
  limitMs: number,
): Promise<Exit> {
  if (!hasEnded(owned)) owned.child.kill(signal);
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

/** With its last log lines: the log may be in a folder that is removed. */
export function endedAtStart(name: string, logFile: string): Error {
  const words = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
  return new Error(`${name} ended at start; its log (${logFile}) ends with\n${words}`);
}

/** The last resort of a process that ends: nothing may be left behind. */
export function killAll(owned: Iterable<OwnedProcess>): void {
  for (const one of owned) signalTree(one, 'SIGKILL');
}

/**
 * Signals a process and its children. First the parent, so that it makes no more children;
 * PostgreSQL's children have separate sessions.
 */
export function signalTree(owned: OwnedProcess, signal: NodeJS.Signals): void {
  if (hasEnded(owned)) return;
  send(owned.pid, signal);
  for (const child of childrenOf(owned.pid)) send(child, signal);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended meanwhile.
  }
}

/**
 * Linux only; elsewhere PostgreSQL's backends are not stopped with it, and end when they notice.
 */
function childrenOf(parent: number): number[] {
  try {
    return readdirSync('/proc').flatMap((entry) => {
      const pid = Number(entry);
      return Number.isInteger(pid) && parentOf(pid) === parent ? [pid] : [];
    });
  } catch {
    return [];
  }
}

/** Field 4 of /proc/PID/stat, behind the name, which may contain anything. */
function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
}
