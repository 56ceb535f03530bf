import { randomBytes } from 'node:crypto';
import { type BullQueue, openBullQueue } from '@payonce/core/queue/bull-queue';
import type { NewJob } from '@payonce/core/queue/job';
import { openNotificationQueue } from '@payonce/core/queue/open-queue';
import { type QueueSettings, readQueueSettings } from '@payonce/core/queue/queue-settings';
import { queuesOf } from '@payonce/core/queue/shards';
import { createLog } from '@payonce/core/runtime/log';
import { ensureQueueRole } from '@payonce/prisma/queue/role';
import { prepareQueueSchema } from '@payonce/prisma/queue/schema';
import { eventually } from '@payonce/testkit/machine/poll';
import { freshDatabase } from '@payonce/testkit/stores/database';
import type { OwnRedis } from '@payonce/testkit/stores/redis-server';
import { inSession, query } from '@payonce/testkit/stores/sessions';
import { Redis } from 'ioredis';
import { inject, onTestFinished } from 'vitest';

export const queueKinds = ['redis', 'postgres'] as const;
export type QueueKind = (typeof queueKinds)[number];

/** A separate queue for the running test, with the gateway's producer and a view of its jobs. */
export interface TestQueue {
  readonly settings: QueueSettings;
  readonly inside: BullQueue<unknown>;
  /** Like the gateway. */
  send(job: NewJob): Promise<string>;
  /** Like the provider, until the gateway accepts it. */
  sendAgainAndAgain(job: NewJob): Promise<string>;
  /** Every connection to this queue, and to no other. */
  breakConnections(): Promise<void>;
  /** As `FreshDatabase`'s; a Redis is killed instead. */
  away(isAway: boolean): Promise<void>;
  stateOf(jobId: string): Promise<string>;
}

/** A log that writes nothing. */
export const silent = createLog({ name: 'test', level: 'silent' });

export async function openTestQueue(kind: QueueKind): Promise<TestQueue> {
  return openOn(kind === 'redis' ? await redisQueue() : await postgresQueue());
}

/** On a separate Redis, which must be up when the queue is opened and when it is closed. */
export function openTestQueueOn({ url }: OwnRedis): Promise<TestQueue> {
  return openOn({
    settings: redisSettings(url, 'test'),
    breakConnections: notOfRedis,
    away: notOfRedis,
    drop: async () => {},
  });
}

interface Store extends Pick<TestQueue, 'settings' | 'breakConnections' | 'away'> {
  readonly drop: () => Promise<unknown>;
}

const notOfRedis = () => Promise.reject(new Error('kill the server'));

async function openOn({ drop, ...store }: Store): Promise<TestQueue> {
  const { settings } = store;
  const gateway = openNotificationQueue(settings, silent);
  const inside = openBullQueue<unknown>(settings);
  const errors: { on(event: 'error', listener: () => void): unknown } = inside;
  errors.on('error', () => {});
  onTestFinished(async () => {
    await gateway.close();
    if (settings.kind === 'redis') await inside.obliterate({ force: true });
    await inside.close();
    await drop();
  });
  await eventually(() => gateway.state.state === 'ready');
  const send = async (job: NewJob) => {
    await gateway.enqueue(job, 5_000);
    return job.id;
  };
  return {
    ...store,
    inside,
    send,
    async sendAgainAndAgain(job) {
      const taken = () =>
        send(job).then(
          () => true,
          () => false,
        );
      await eventually(taken);
      return job.id;
    },
    stateOf: (jobId) => inside.getJobState(jobId),
  };
}

/** As gateway and worker read them from their environment. */
function redisSettings(url: string, prefix: string): QueueSettings {
  return queuesOf(readQueueSettings({ REDIS_URL: url, PAYONCE_QUEUE_PREFIX: prefix }))[0];
}

/** A separate prefix and user on the shared server. */
async function redisQueue(): Promise<Store> {
  const user = `test-${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  const url = new URL(inject('redisUrl'));
  await asRedisAdmin((admin) =>
    admin.call('ACL', 'SETUSER', user, 'on', `>${password}`, '~*', '&*', '+@all'),
  );
  url.username = user;
  url.password = password;
  return {
    settings: redisSettings(url.href, user),
    breakConnections: () => asRedisAdmin((admin) => admin.call('CLIENT', 'KILL', 'USER', user)),
    away: notOfRedis,
    drop: () => asRedisAdmin((admin) => admin.call('ACL', 'DELUSER', user)),
  };
}

async function asRedisAdmin(work: (admin: Redis) => Promise<unknown>): Promise<void> {
  const admin = new Redis(inject('redisUrl'));
  try {
    await work(admin);
  } finally {
    admin.disconnect();
  }
}

/**
 * A separate database and role, as the migration tool creates them: the queue sees nothing else.
 */
async function postgresQueue(): Promise<Store> {
  const postgresUrl = inject('postgresUrl');
  const database = await freshDatabase({ postgresUrl, templateDatabase: null });
  const role = `queue_${randomBytes(6).toString('hex')}`;
  const url = new URL(database.url);
  url.username = role;
  url.password = randomBytes(12).toString('hex');
  await inSession(database.url, async (client) => {
    await ensureQueueRole(client, url.href);
    await prepareQueueSchema(client, role);
  });
  const settings: QueueSettings = { kind: 'postgres', url: url.href, schema: 'payonce_queue' };
  const drop = async () => {
    await database.drop();
    await query(postgresUrl, `DROP ROLE ${role}`);
  };
  const breakConnections = async () => {
    await query(
      postgresUrl,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`,
    );
  };
  return { settings, breakConnections, away: database.away, drop };
}
