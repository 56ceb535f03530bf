import { withDeadline } from '@payonce/core/runtime/deadline';
import type { Readiness } from '@payonce/core/runtime/private-server';
import {
  type DatabaseWatch,
  describeClock,
  describeFitness,
} from '@payonce/orders/database/database-watch';
import { waitsInWords } from './consume/job-waits.js';
import type { NotificationWorker } from './notification-worker.js';

/** A probe has a second or two; a hanging database is not ready. */
const ASK_LIMIT_MS = 2_000;

/** Ready if it can work with one queue; the parts show which others are down. */
export async function readiness(
  watch: DatabaseWatch,
  worker: NotificationWorker,
): Promise<Readiness> {
  const [database, ...queues] = await Promise.all([
    askedNow(watch),
    ...worker.consumers.map(async (consumer) => [consumer.name, await consumer.state()] as const),
  ]);
  return {
    ready: database === 'ready' && queues.some(([, state]) => state === 'ready'),
    parts: {
      database,
      ...describeClock(watch),
      ...Object.fromEntries(queues),
      ...waitsInWords(worker.waits),
    },
  };
}

/** `ready`, `down`, or all faults of the database. */
export function askedNow(watch: DatabaseWatch): Promise<string> {
  return withDeadline(watch.look(), ASK_LIMIT_MS, 'asking the database').then(
    describeFitness,
    () => 'down',
  );
}
