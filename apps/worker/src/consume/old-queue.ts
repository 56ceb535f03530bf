import type { PostgresQueueSettings, QueueStores } from '@payonce/core/queue/queue-settings';
import type { Log } from '@payonce/core/runtime/log';
import { type Schedule, startSchedule } from '@payonce/core/runtime/schedules';
import { endOldQueue } from '@payonce/prisma/queue/old-queue';

/** The longest time that jobs of the old queue wait for a worker that has just started. */
const LOOK_INTERVAL_MS = 2_000;

export interface OldQueueOptions {
  readonly databaseUrl: string;
  readonly queues: QueueStores;
  /** Takes jobs and reports from it. @returns takes no more */
  readonly drain: (queue: PostgresQueueSettings) => () => Promise<void>;
  readonly log: Log;
}

/**
 * Drains the queue that an earlier release kept in the database of the orders; now the queue has a
 * separate one. Drops it when it is empty and no process uses it.
 * @returns stops looking
 */
export function watchOldQueue(options: OldQueueOptions): () => Promise<void> {
  const { databaseUrl, queues, drain, log } = options;
  const own = queues.find((store) => store.kind === 'postgres');
  if (own === undefined) return async () => {};
  let stopDraining: (() => Promise<void>) | null = null;
  let reported = '';

  async function look(queue: PostgresQueueSettings): Promise<boolean> {
    const old = await endOldQueue(databaseUrl, queue.url, queue.schema);
    if (old.state === 'stays') {
      stopDraining ??= drain({ ...queue, url: asOwner(queue.url, databaseUrl), old: true });
      if (old.why !== reported) log.info({ reason: old.why }, 'queue.old_stays');
      reported = old.why;
      return false;
    }
    // Another worker may have dropped it.
    if (stopDraining !== null || old.state === 'dropped') log.info('queue.old_dropped');
    await stopDraining?.();
    void schedule.stop();
    return false;
  }

  const schedule: Schedule = startSchedule({
    intervalMs: LOOK_INTERVAL_MS,
    run: () => look(own),
    // A database that is down has separate alarms.
    onError: (err) => log.debug({ err }, 'queue.old_search_failed'),
  });
  return schedule.stop;
}

/**
 * The server of the queue, because LISTEN needs a session, which PgBouncer may not give. The login
 * and the database of the orders, so that another process at the old queue shows as its role.
 */
function asOwner(queueUrl: string, databaseUrl: string): string {
  const url = new URL(queueUrl);
  const { username, password, pathname } = new URL(databaseUrl);
  return Object.assign(url, { username, password, pathname }).href;
}
