import type { Log } from '@payonce/core/runtime/log';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { closeRewind, findOpenRewinds } from '@payonce/orders/database/rewinds';
import type { QueueConsumer } from '../consume/queue-consumer.js';

export interface ReplayOptions {
  readonly database: DatabaseDeps;
  readonly consumers: readonly Pick<QueueConsumer, 'name' | 'replayCompleted'>[];
  readonly log: Log;
}

/**
 * After PostgreSQL went back in time, puts the completed jobs of every queue back. Those that the
 * database still knows become duplicates; several workers may do it at once. A queue that does not
 * respond is tried again, and the rewind stays open meanwhile.
 * @returns one step, for a schedule
 */
export function replayAfterRewinds(options: ReplayOptions): () => Promise<boolean> {
  const { database, consumers, log } = options;
  /** Jobs by queue, of the rewind under way. */
  const done = new Map<string, number>();
  let underWay = '';
  return async () => {
    const [rewind] = await findOpenRewinds(database.prisma);
    if (rewind === undefined) return false;
    // After another rewind, the row of this one may be gone and its ID used again.
    const name = `${rewind.id} ${rewind.foundAt.toISOString()}`;
    if (name !== underWay) done.clear();
    underWay = name;
    const left = consumers.filter(({ name }) => !done.has(name));
    const looks = await Promise.allSettled(
      left.map(async (one) => done.set(one.name, await one.replayCompleted())),
    );
    const failed = looks.find((look) => look.status === 'rejected');
    if (failed) throw failed.reason;
    const jobs = [...done.values()].reduce((sum, count) => sum + count, 0);
    done.clear();
    await closeRewind(database, rewind.id, jobs);
    log.warn({ jobs, reason: rewind.reason }, 'jobs.replayed');
    return true;
  };
}
