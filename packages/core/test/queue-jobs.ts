import { randomBytes, randomUUID } from 'node:crypto';
import { runMigrations } from 'bullmq';
import pg from 'pg';
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
export interface PostgresStore {
  readonly settings: PostgresQueueSettings;
  /** Breaks every connection and refuses new ones, as a restart does for this one database. */
  away(isAway: boolean): Promise<void>;
  /** Meanwhile adds wait, as on a hanging database. */
  whileLocked(work: () => Promise<void>): Promise<void>;
  drop(): Promise<void>;
}

export async function postgresStore(): Promise<PostgresStore> {
  const name = `queue_test_${randomBytes(6).toString('hex')}`;
  const url = new URL(inject('postgresUrl'));
  const asAdmin = (...statements: string[]) =>
    withClient(inject('postgresUrl'), async (admin) => {
      for (const statement of statements) await admin.query(statement);
    });
  await asAdmin(`CREATE DATABASE ${name}`);
  url.pathname = `/${name}`;
  const settings = { kind: 'postgres', url: url.href, schema: 'payonce_queue' } as const;
  await withClient(url.href, (client) => runMigrations(client, settings.schema));
  return {
    settings,
    away: (isAway) =>
      asAdmin(
        `ALTER DATABASE ${name} ALLOW_CONNECTIONS ${!isAway}`,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${isAway} AND datname = '${name}'`,
      ),
    whileLocked: (work) =>
      withClient(url.href, async (client) => {
        await client.query(`BEGIN; LOCK TABLE ${settings.schema}.job IN ACCESS EXCLUSIVE MODE`);
        await work().finally(() => client.query('ROLLBACK'));
      }),
    drop: () => asAdmin(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}

async function withClient(
  url: string,
  work: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await work(client).finally(() => client.end());
}
