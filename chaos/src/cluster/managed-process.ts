import { killAll, type OwnedProcess, signalTree, stop } from '@payonce/testkit/process';

/**
 * One process of the cluster, kept running like under an orchestrator: a process that ends is
 * started again.
 */
export interface ManagedProcess {
  readonly name: string;
  /** Takes over a process that was started elsewhere. */
  adopt(owned: OwnedProcess): void;
  /** SIGKILL, including its children; it comes back by itself. Resolves when it is dead. */
  crash(): Promise<void>;
  /** SIGKILL, and it stays down until `up`. */
  down(): Promise<void>;
  /** Asks it to end, and starts it again, for example with another environment. */
  restart(): Promise<void>;
  up(): void;
  /** Asks it to end, and it stays down until `up`. */
  retire(): Promise<void>;
  /** SIGSTOP, including its children: connections stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Permanently. */
  end(): Promise<void>;
  /** How often it ended by itself, without being killed. */
  readonly ownEnds: number;
}

export interface ManagedProcessOptions {
  readonly name: string;
  /** Starts it, and calls `onSpawn` as soon as the process exists. */
  readonly start: (onSpawn: (owned: OwnedProcess) => void) => Promise<unknown>;
  /** The polite signal, and how long the stop may take. */
  readonly signal: NodeJS.Signals;
  readonly stopLimitMs: number;
  readonly say: (line: string) => void;
}

/** Shorter than an orchestrator would take. */
const RESTART_MS = 500;

export function keepRunning(options: ManagedProcessOptions): ManagedProcess {
  const { name, say } = options;
  let current: OwnedProcess | null = null;
  let wanted = false;
  let expected = false;
  let over = false;
  let ownEnds = 0;
  let timer: NodeJS.Timeout | undefined;

  const onSpawn = (owned: OwnedProcess) => {
    current = owned;
    expected = false;
    // Stopped while it was being started.
    if (!wanted) killAll([owned]);
    owned.exited.then((exit) => {
      if (current === owned) current = null;
      if (wanted && !expected) {
        ownEnds += 1;
        say(`${name} ended by itself (${exit.signal ?? `exit code ${exit.code}`})`);
      }
      again();
    });
  };
  const again = () => {
    clearTimeout(timer);
    if (wanted) timer = setTimeout(run, RESTART_MS);
  };
  const run = () => {
    if (!wanted || current !== null) return;
    options.start(onSpawn).catch((error: unknown) => {
      // If the start got as far as a process, its end is handled there.
      if (current === null) again();
      else say(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    });
  };
  const die = async () => {
    clearTimeout(timer);
    const owned = current;
    if (owned === null) return;
    expected = true;
    killAll([owned]);
    await owned.exited;
  };
  const finish = async () => {
    clearTimeout(timer);
    const owned = current;
    if (owned === null) return;
    expected = true;
    signalTree(owned, 'SIGCONT');
    await stop(owned, options.signal, options.stopLimitMs);
  };

  return {
    name,
    adopt(owned) {
      wanted = true;
      onSpawn(owned);
    },
    crash: die,
    async down() {
      wanted = false;
      await die();
    },
    restart: finish,
    async retire() {
      wanted = false;
      await finish();
    },
    up() {
      // A fault that the end of the run cuts short may still undo its damage.
      if (over) return;
      wanted = true;
      run();
    },
    freeze: () => void (current && signalTree(current, 'SIGSTOP')),
    thaw: () => void (current && signalTree(current, 'SIGCONT')),
    async end() {
      over = true;
      wanted = false;
      await finish();
      if (current !== null) await die();
    },
    get ownEnds() {
      return ownEnds;
    },
  };
}
