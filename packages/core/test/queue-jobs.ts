import { randomUUID } from 'node:crypto';
import { type FreshDatabase, freshDatabase } from '@payonce/testkit/stores/database';
import { holdLocks, inSession } from '@payonce/testkit/stores/sessions';
import { runMigrations } from 'bullmq';
import { inject } from 'vitest';
import { jobIdFor, type NewJob, type NotificationJob } from '../src/queue/job.js';
import type { PostgresQueueSettings, RedisQueueSettings } from '../src/queue/queue-settings.js';

/** A job as the gateway creates it; its content does not matter to the queue. */
export function someJob(notificationId: string = randomUUID()): NewJob {
  const data: NotificationJob = {
    version: 3,
    provider: 'alipay',
    channel: 'shop',
    notificationId,
    receivedAt: '2026-11-02T08:00:00.000Z',
    bodyBase64: Buffer.from([0, 255, 128, 10]).toString('base64'),
    headers: { 'x-header': 'value' },
  };
  return { id: jobIdFor(data, 'a'.repeat(64)), data };
}

/** A separate queue for one test in the Redis at `url`. */
export function redisSettings(
  url: string,
  changes: Partial<RedisQueueSettings> = {},
): RedisQueueSettings {
  return {
    kind: 'redis',
    shard: 0,
    topology: { kind: 'single', url },
    prefix: `queue-test-${randomUUID()}`,
    durability: 'checked',
    waitReplicas: 0,
    ...changes,
  };
}

/** A separate database for one test with the queue's schema in it. */
export interface PostgresStore extends Pick<FreshDatabase, 'away' | 'drop'> {
  readonly settings: PostgresQueueSettings;
  /** Meanwhile adds wait, as on a hanging database. */
  whileLocked(work: () => Promise<void>): Promise<void>;
}

export async function postgresStore(): Promise<PostgresStore> {
  const postgresUrl = inject('postgresUrl');
  const { url, away, drop } = await freshDatabase({ postgresUrl, templateDatabase: null });
  const settings = { kind: 'postgres', url, schema: 'payonce_queue' } as const;
  await inSession(url, (session) => runMigrations(session, settings.schema));
  return {
    settings,
    away,
    async whileLocked(work) {
      const letGo = await holdLocks(url, `LOCK TABLE payonce_queue.job IN ACCESS EXCLUSIVE MODE`);
      await work().finally(letGo);
    },
    drop,
  };
}
