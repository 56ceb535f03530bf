import { killAll, type OwnedProcess, signalTree, stop } from '@payonce/testkit/machine/process';

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

/**
 * One process of the cluster, kept running like under an orchestrator: a process that ends is
 * started again.
 */
export class ManagedProcess {
  readonly name: string;
  #current: OwnedProcess | null = null;
  #wanted = false;
  #expected = false;
  #over = false;
  #ownEnds = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ManagedProcessOptions) {
    this.name = options.name;
  }

  /** How often it ended by itself, without being killed. */
  get ownEnds(): number {
    return this.#ownEnds;
  }

  /** Takes over a process that was started elsewhere. */
  adopt(owned: OwnedProcess): void {
    this.#wanted = true;
    this.#onSpawn(owned);
  }

  /** SIGKILL, including its children; it comes back by itself. Resolves when it is dead. */
  async crash(): Promise<void> {
    clearTimeout(this.#timer);
    const owned = this.#current;
    if (owned === null) return;
    this.#expected = true;
    killAll([owned]);
    await owned.exited;
  }

  /** SIGKILL, and it stays down until `up`. */
  async down(): Promise<void> {
    this.#wanted = false;
    await this.crash();
  }

  /** Asks it to end, and starts it again, for example with another environment. */
  async restart(): Promise<void> {
    await this.#stop();
  }

  up(): void {
    // A fault that the end of the run cuts short may still undo its damage.
    if (this.#over) return;
    this.#wanted = true;
    this.#run();
  }

  /** Asks it to end, and it stays down until `up`. */
  async retire(): Promise<void> {
    this.#wanted = false;
    await this.#stop();
  }

  /** SIGSTOP, including its children: connections stay open and nothing answers. */
  freeze(): void {
    if (this.#current) signalTree(this.#current, 'SIGSTOP');
  }

  thaw(): void {
    if (this.#current) signalTree(this.#current, 'SIGCONT');
  }

  /** Permanently. */
  async end(): Promise<void> {
    this.#over = true;
    await this.retire();
    if (this.#current !== null) await this.crash();
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#timer);
    const owned = this.#current;
    if (owned === null) return;
    this.#expected = true;
    signalTree(owned, 'SIGCONT');
    await stop(owned, this.options.signal, this.options.stopLimitMs);
  }

  #run(): void {
    if (!this.#wanted || this.#current !== null) return;
    const { name, start, say } = this.options;
    start((owned) => this.#onSpawn(owned)).catch((error: unknown) => {
      // If the start got as far as a process, its end is handled there.
      if (this.#current === null) this.#runLater();
      else say(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  #runLater(): void {
    clearTimeout(this.#timer);
    if (this.#wanted) this.#timer = setTimeout(() => this.#run(), RESTART_MS);
  }

  #onSpawn(owned: OwnedProcess): void {
    this.#current = owned;
    this.#expected = false;
    // Stopped while it was being started.
    if (!this.#wanted) killAll([owned]);
    owned.exited.then((exit) => {
      if (this.#current === owned) this.#current = null;
      if (this.#wanted && !this.#expected) {
        this.#ownEnds += 1;
        const how = exit.signal ?? `exit code ${exit.code}`;
        this.options.say(`${this.name} ended by itself (${how})`);
      }
      this.#runLater();
    });
  }
}
