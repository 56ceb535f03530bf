import { withDeadline } from '@payonce/core/deadline';
import type { HostedQueue } from '@payonce/core/queue/hosted';
import type { QueueSettings } from '@payonce/core/queue/queue-settings';
import type { QueueState } from './api/stats-views.js';

/** A store that hangs must not keep a page waiting. */
const READ_LIMIT_MS = 2_000;

type Store = QueueSettings['kind'];

export interface Backlog {
  /** Looks at a queue from now on: it may connect long after the console has begun to serve. */
  show(queue: HostedQueue, store: Store): void;
  /** Never throws: what does not answer is down. */
  read(): Promise<QueueState[]>;
}

/** What waits in the queue's stores, the preferred one first. */
export function createBacklog(stores: readonly Store[]): Backlog {
  const queues = new Map<Store, HostedQueue>();
  return {
    show: (queue, store) => queues.set(store, queue),
    read: () =>
      Promise.all(
        stores.map(async (store, index) => {
          const role = index === 0 ? 'preferred' : 'standby';
          return { store, role, ...(await stateOf(queues.get(store))) } as const;
        }),
      ),
  };
}

async function stateOf(
  queue: HostedQueue | undefined,
): Promise<Pick<QueueState, 'state' | 'jobs'>> {
  if (queue === undefined) return { state: 'connecting', jobs: null };
  try {
    const jobs = await withDeadline(jobsIn(queue), READ_LIMIT_MS, 'counting jobs');
    return { state: 'ready', jobs };
  } catch {
    return { state: 'down', jobs: null };
  }
}

async function jobsIn(queue: HostedQueue): Promise<NonNullable<QueueState['jobs']>> {
  const {
    waiting = 0,
    active = 0,
    delayed = 0,
  } = await queue.getJobCounts('waiting', 'active', 'delayed');
  const [oldest] = waiting > 0 ? await queue.getJobs(['waiting'], 0, 0, true) : [];
  const oldestWaitingAt = oldest ? new Date(oldest.timestamp).toISOString() : null;
  return { waiting, active, delayed, oldestWaitingAt };
}
