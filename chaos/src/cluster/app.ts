import { join } from 'node:path';
import { type OwnedProcess, ownProgram } from '@payonce/testkit/machine/process';
import { ManagedProcess } from './managed-process.js';

/** Longer than the worker's limit for its last batches. */
const STOP_LIMIT_MS = 20_000;

export interface App {
  readonly process: ManagedProcess;
  /** Takes effect at the next start. */
  setEnv(extra: Readonly<Record<string, string>>): void;
}

export interface AppOptions {
  readonly name: string;
  readonly app: 'gateway' | 'worker' | 'console';
  readonly root: string;
  readonly logs: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onSpawn: (owned: OwnedProcess) => void;
  readonly say: (line: string) => void;
}

/**
 * One of payonce's processes as deployed: its compiled `main.js`, configured by its environment.
 */
export function app(options: AppOptions): App {
  const { name, root } = options;
  const main = join(root, 'apps', options.app, 'dist', 'main.js');
  const log = join(options.logs, `${name}.log`);
  let extra: Readonly<Record<string, string>> = {};
  const managed = new ManagedProcess({
    name,
    signal: 'SIGTERM',
    stopLimitMs: STOP_LIMIT_MS,
    say: options.say,
    start: async (onSpawn) => {
      const env = { ...options.env, ...extra };
      const owned = ownProgram({ name, main, cwd: root, env, output: { appendTo: log } });
      options.onSpawn(owned);
      onSpawn(owned);
    },
  });
  return {
    process: managed,
    setEnv: (next) => {
      extra = next;
    },
  };
}
