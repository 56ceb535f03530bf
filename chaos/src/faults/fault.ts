import type { Cluster } from '../cluster.js';
import type { Load } from '../load.js';
import type { Queues } from '../queues.js';
import type { Random } from '../random.js';
import type { Storyteller } from '../stories.js';

/** What a fault may touch. */
export interface Stage {
  readonly cluster: Cluster;
  readonly load: Load;
  readonly stories: Storyteller;
  readonly queues: Queues;
  readonly random: Random;
  /** A remark of the fault that happens, for people. */
  readonly say: (line: string) => void;
}

export interface Fault {
  readonly name: string;
  /** One line for `--help` and the documentation. */
  readonly does: string;
  /** `moment`: over as soon as it began. `long`: a minute at the default length. */
  readonly lasts: 'moment' | 'short' | 'long';
  /** Before the load begins. @returns why it cannot be arranged on this machine, or null */
  readonly arrange?: (stage: Stage) => Promise<string | null>;
  /** @returns what ends it */
  readonly begin: (stage: Stage) => Promise<() => Promise<void> | void>;
}

export function nothingToEnd(): void {}
