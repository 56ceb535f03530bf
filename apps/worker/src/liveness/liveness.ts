import type { Log } from '@payonce/core/runtime/log';
import { startSchedule } from '@payonce/core/runtime/schedules';
import { TRANSACTION_LIMIT_MS } from '@payonce/orders/database/transaction';
import type { BatchAges } from '../batch/batch-ages.js';
import type { QueueConsumer } from '../consume/queue-consumer.js';
import { createStuckWatch } from './stuck-watch.js';

export type DatabaseState = 'ready' | 'down';

export interface Liveness {
  /** The result of the last check; asks nothing. */
  readonly isAlive: () => boolean;
  stop(): Promise<void>;
}

/**
 * A batch is a transaction. If that waits in vain, its parts are further transactions, the last of
 * which may begin late. By then PostgreSQL or Prisma has ended all of them, unless a connection
 * hangs silently.
 */
export const BATCH_LIMIT_MS = 2 * TRANSACTION_LIMIT_MS + 5_000;

export interface LivenessDeps {
  readonly limitMs: number;
  readonly consumers: readonly QueueConsumer[];
  readonly batches: BatchAges;
  /** On the pool that the batches use. */
  readonly askDatabase: () => Promise<DatabaseState>;
  /** On a new connection: whether this process hangs, and not the database. */
  readonly askOnFreshConnection: () => Promise<boolean>;
  readonly log: Log;
}

/**
 * Checks at intervals whether only a restart helps. That is so when jobs wait that this process
 * does not take although every store responds. It is also so when a batch has outlived all its
 * time-outs although the database responds. Locks and outages are no reason.
 */
export function watchLiveness(deps: LivenessDeps): Liveness {
  const { limitMs, consumers, batches, askDatabase, askOnFreshConnection, log } = deps;
  const watch = createStuckWatch(limitMs);
  let stuck: string | null = null;
  let hangs = false;

  async function lookAtBatches(): Promise<void> {
    const before = hangs;
    hangs = batches.oldestMs() > BATCH_LIMIT_MS && (await askOnFreshConnection());
    const seconds = Math.round(batches.oldestMs() / 1_000);
    if (hangs && !before) log.error({ seconds }, 'batch.hangs');
    if (!hangs && before) log.info('batch.recovered');
  }

  async function look(): Promise<void> {
    const [database, ...looks] = await Promise.all([
      askDatabase(),
      ...consumers.map(async (consumer) => ({
        name: consumer.name,
        waiting: await consumer.waiting().catch(() => null),
        taken: consumer.taken,
      })),
    ]);
    const before = stuck;
    stuck = watch.look(looks, database === 'ready', performance.now());
    if (stuck && !before) log.error({ queue: stuck, limitMs }, 'jobs.stuck');
    if (!stuck && before) log.info({ queue: before }, 'jobs.taken_again');
  }

  const schedule = startSchedule({
    // Often enough that the limit is exceeded by a fifth of it at most.
    intervalMs: limitMs / 5,
    run: async () => {
      await Promise.all([look(), lookAtBatches()]);
      return false;
    },
    onError: (err) => log.warn({ err }, 'queue.check_failed'),
  });
  return { isAlive: () => stuck === null && !hangs, stop: () => schedule.stop() };
}
