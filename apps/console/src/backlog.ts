import type { BullQueue } from '@payonce/core/queue/bull-queue';
import { withDeadline } from '@payonce/core/runtime/deadline';
import type { QueueState } from './schemas/stats.js';

/** A hanging store must not keep a page waiting. */
const READ_LIMIT_MS = 2_000;

export interface Backlog {
  /** Shows a queue from now on: it may connect long after the console has begun to serve. */
  show(queue: BullQueue, name: string): void;
  /** Never throws: a queue that does not respond is down. */
  read(): Promise<QueueState[]>;
}

/**
 * The waiting jobs of each store and shard: the configured ones in order, then those found later.
 */
export function createBacklog(names: readonly string[]): Backlog {
  const queues = new Map<string, BullQueue | null>(names.map((name) => [name, null]));
  return {
    show: (queue, name) => queues.set(name, queue),
    read: () =>
      Promise.all(
        [...queues].map(async ([store, queue]) => {
          const role = store === 'postgres' && names[0] !== store ? 'standby' : 'preferred';
          return { store, role, ...(await stateOf(queue)) } as const;
        }),
      ),
  };
}

async function stateOf(queue: BullQueue | null): Promise<Pick<QueueState, 'state' | 'jobs'>> {
  if (queue === null) return { state: 'connecting', jobs: null };
  try {
    const jobs = await withDeadline(jobsIn(queue), READ_LIMIT_MS, 'counting jobs');
    return { state: 'ready', jobs };
  } catch {
    return { state: 'down', jobs: null };
  }
}

async function jobsIn(queue: BullQueue): Promise<NonNullable<QueueState['jobs']>> {
  const {
    waiting = 0,
    active = 0,
    delayed = 0,
  } = await queue.getJobCounts('waiting', 'active', 'delayed');
  const [oldest] = waiting > 0 ? await queue.getJobs(['waiting'], 0, 0, true) : [];
  const oldestWaitingAt = oldest ? new Date(oldest.timestamp).toISOString() : null;
  return { waiting, active, delayed, oldestWaitingAt };
}
