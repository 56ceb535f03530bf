import type { Random } from '@payonce/testkit/machine/random';
import type { Progress } from '../checker/progress.js';
import type { Cluster } from '../cluster/cluster.js';
import type { Queues } from '../cluster/queues.js';
import type { HistoryRecorder } from '../history/recorder.js';
import type { WorkloadGenerator } from '../workload/generator.js';
import type { Load } from '../workload/load.js';
import type { Registrar } from '../workload/registrar.js';

/** The parts that a fault may touch. */
export interface FaultContext {
  readonly cluster: Cluster;
  readonly load: Load;
  readonly generator: WorkloadGenerator;
  readonly queues: Queues;
  readonly random: Random;
  /** The database's own view, for faults that measure. */
  readonly progress: Progress;
  readonly registrar: Registrar;
  readonly recorder: Pick<HistoryRecorder, 'delayed'>;
  /** A remark on the present fault, for people. */
  readonly say: (line: string) => void;
}

export interface Fault {
  readonly name: string;
  /** One line for `--help` and the documentation. */
  readonly does: string;
  /** `moment`: over as soon as it began. The others: see `HOLD_S` in `schedule.ts`. */
  readonly lasts: 'moment' | 'short' | 'medium' | 'long';
  /** The additional time for beginning and undoing it, e.g. for restarts. */
  readonly besidesMs?: number;
  /** Runs before the load begins. @returns why it cannot be arranged on this machine, or null */
  readonly arrange?: (context: FaultContext) => Promise<string | null>;
  /** @returns ends the fault */
  readonly begin: (context: FaultContext) => Promise<() => Promise<void> | void>;
}

export function nothingToEnd(): void {}
