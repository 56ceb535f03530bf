import { randomBytes } from 'node:crypto';
import { createLog } from '@payonce/core/log';
import { type HostedQueue, openHostedQueue } from '@payonce/core/queue/hosted';
import { jobIdFor, type NotificationJob } from '@payonce/core/queue/job';
import { openNotificationQueue } from '@payonce/core/queue/open-queue';
import type { QueueSettings } from '@payonce/core/queue/queue-settings';
import { prepareQueueSchema } from '@payonce/prisma/queue-role';
import { freshDatabase } from '@payonce/testkit/database';
import pg from 'pg';
import { inject } from 'vitest';
import { eventually } from './eventually.js';

export const queueKinds = ['redis', 'postgres'] as const;
export type QueueKind = (typeof queueKinds)[number];

/** A queue of the test's own, with the gateway's way in and a look at what is in it. */
export interface TestQueue {
  readonly settings: QueueSettings;
  readonly inside: HostedQueue;
  /** As the gateway does it. */
  send(job: NotificationJob): Promise<string>;
  stateOf(jobId: string): Promise<string>;
  close(): Promise<void>;
}

const silent = createLog({ name: 'test', level: 'silent' });

export async function openTestQueue(kind: QueueKind): Promise<TestQueue> {
  const { settings, drop } = kind === 'redis' ? redisQueue() : await postgresQueue();
  const gateway = openNotificationQueue(settings, silent);
  const inside = openHostedQueue(settings);
  const errors: { on(event: 'error', listener: () => void): unknown } = inside;
  errors.on('error', () => {});
  await eventually(() => gateway.state.state === 'ready');
  return {
    settings,
    inside,
    async send(job) {
      await gateway.enqueue(job, 5_000);
      return jobIdFor(job);
    },
    stateOf: (jobId) => inside.getJobState(jobId),
    async close() {
      await gateway.close();
      if (kind === 'redis') await inside.obliterate({ force: true });
      await inside.close();
      await drop();
    },
  };
}

function redisQueue() {
  const settings: QueueSettings = {
    kind: 'redis',
    url: inject('redisUrl'),
    prefix: `test-${randomBytes(6).toString('hex')}`,
    durability: 'checked',
    waitReplicas: 0,
  };
  return { settings, drop: async () => {} };
}

/** A database and a role of its own, as the migration tool makes them: the queue sees nothing else. */
async function postgresQueue() {
  const postgresUrl = inject('postgresUrl');
  const database = await freshDatabase({ postgresUrl, templateDatabase: null });
  const role = `queue_${randomBytes(6).toString('hex')}`;
  const url = new URL(database.url);
  url.username = role;
  url.password = randomBytes(12).toString('hex');
  await asSuperuser(database.url, (client) => prepareQueueSchema(client, url.href));
  const settings: QueueSettings = { kind: 'postgres', url: url.href, schema: 'payonce_queue' };
  const drop = async () => {
    await database.drop();
    await asSuperuser(postgresUrl, (client) => client.query(`DROP ROLE ${role}`));
  };
  return { settings, drop };
}

export async function asSuperuser<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
