import type { Log } from '@payonce/core/log';
import { startSchedule } from '@payonce/core/schedules';
import type { Source } from './source.js';
import { createStuckWatch } from './stuck-watch.js';

export type DatabaseState = 'ready' | 'down';

export interface Liveness {
  /** What the last look found; asks nobody. */
  readonly isAlive: () => boolean;
  stop(): Promise<void>;
}

/** Looks again and again whether jobs wait that this process does not take although every store answers. */
export function watchLiveness(
  limitMs: number,
  sources: readonly Source[],
  askDatabase: () => Promise<DatabaseState>,
  log: Log,
): Liveness {
  const watch = createStuckWatch(limitMs);
  let stuck: string | null = null;

  async function look(): Promise<void> {
    const [database, ...looks] = await Promise.all([
      askDatabase(),
      ...sources.map(async (source) => ({
        name: source.name,
        waiting: await source.waiting().catch(() => null),
        taken: source.taken,
      })),
    ]);
    const before = stuck;
    stuck = watch.look(looks, database === 'ready', performance.now());
    if (stuck && !before) log.error({ queue: stuck, limitMs }, 'jobs wait and none is taken');
    if (!stuck && before) log.info({ queue: before }, 'jobs are taken again');
  }

  const schedule = startSchedule({
    // Often enough that the limit is overrun by a fifth of it at most.
    intervalMs: limitMs / 5,
    run: () => look().then(() => false),
    onError: (err) => log.warn({ err }, 'the queues could not be looked at'),
  });
  return { isAlive: () => stuck === null, stop: () => schedule.stop() };
}
