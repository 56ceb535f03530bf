import { connect, createServer } from 'node:net';
import { listen } from '@payonce/testkit/machine/listening';
import { eventually } from '@payonce/testkit/machine/poll';
import { freshDatabase } from '@payonce/testkit/stores/database';
import { holdLocks, inSession, query } from '@payonce/testkit/stores/sessions';
import { runMigrations } from 'bullmq';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openBullQueue, openBullWorker, openUntilReady } from '../src/queue/bull-queue.js';
import type { NotificationJob } from '../src/queue/job.js';
import type { NotificationQueue } from '../src/queue/notification-queue.js';
import { openNotificationQueue } from '../src/queue/open-queue.js';
import type { PostgresQueueSettings } from '../src/queue/queue-settings.js';
import { createLog } from '../src/runtime/log.js';
import { someJob } from './queue-jobs.js';

const log = createLog({ name: 'test', level: 'silent' });

/** An empty separate database, without the queue's schema. */
async function database(): Promise<PostgresQueueSettings> {
  const postgresUrl = inject('postgresUrl');
  const { url, drop } = await freshDatabase({ postgresUrl, templateDatabase: null });
  onTestFinished(drop);
  return { kind: 'postgres', url, schema: 'payonce_queue' };
}

function migrate({ url, schema }: PostgresQueueSettings) {
  return inSession(url, (session) => runMigrations(session, schema));
}

function open(settings: PostgresQueueSettings, queueLog = log): NotificationQueue {
  const queue = openNotificationQueue(settings, queueLog);
  onTestFinished(() => queue.close());
  return queue;
}

async function until(queue: NotificationQueue, state: 'ready' | 'down'): Promise<void> {
  await eventually(() => expect(queue.state).toMatchObject({ state }));
}

test('a job reaches a worker unchanged, once for five copies', async () => {
  const settings = await database();
  await migrate(settings);
  const queue = open(settings);
  await until(queue, 'ready');
  const job = someJob();
  await Promise.all(Array.from({ length: 5 }, () => queue.enqueue(job, 2_000)));
  const seen: [string | undefined, NotificationJob][] = [];
  const worker = openBullWorker(
    settings,
    async ({ id, data }) => {
      seen.push([id, data]);
    },
    { concurrency: 2 },
  );
  worker.on('error', () => {});
  onTestFinished(() => worker.close());
  const bullQueue = openBullQueue(settings);
  onTestFinished(() => bullQueue.close());
  await eventually(async () =>
    expect(await bullQueue.getJobCounts('completed')).toEqual({ completed: 1 }),
  );
  expect(seen).toEqual([[job.id, job.data]]);
});

test('a database that is not migrated yet delays the start and does not break it', async () => {
  const settings = await database();
  const queue = open(settings);
  await until(queue, 'down');
  await expect(queue.enqueue(someJob(), 2_000)).rejects.toMatchObject({
    code: 'queue_unavailable',
  });
  const failures: unknown[] = [];
  const bullQueue = openUntilReady(() => openBullQueue(settings), {
    signal: new AbortController().signal,
    onFailure: (error) => failures.push(error),
  });
  await eventually(() => expect(failures).not.toEqual([]));
  await migrate(settings);
  await until(queue, 'ready');
  await queue.enqueue(someJob(), 2_000);
  const reader = await bullQueue;
  onTestFinished(() => reader.close());
  expect(await reader.getJobCounts('wait')).toEqual({ wait: 1 });
});

test('a role with asynchronous commits gets no job', async () => {
  const settings = await database();
  await migrate(settings);
  const name = new URL(settings.url).pathname.slice(1);
  await query(settings.url, `ALTER DATABASE ${name} SET synchronous_commit = off`);
  const queue = open(settings);
  await eventually(() =>
    expect(queue.state).toEqual({
      state: 'down',
      reason: 'not durable: synchronous_commit is off',
    }),
  );
  await expect(queue.enqueue(someJob(), 2_000)).rejects.toMatchObject({
    code: 'queue_unavailable',
  });
});

test('lost connections are replaced', async () => {
  const settings = await database();
  await migrate(settings);
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const queue = open(settings, createLog({ name: 'test' }, { write }));
  await until(queue, 'ready');
  await queue.enqueue(someJob(), 2_000);
  const name = new URL(settings.url).pathname.slice(1);
  await query(
    inject('postgresUrl'),
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
  );
  // It may be down for milliseconds only: the log has it, whenever one looks.
  await eventually(() => expect(lines.join('')).toContain('queue.down'));
  await until(queue, 'ready');
  await queue.enqueue(someJob(), 2_000);
});

const READY_FOR_QUERY = Buffer.from('5a0000000549', 'hex');
const POSTMASTER_EXIT = Buffer.from(
  `E\0\0\0\x25SFATAL\0VFATAL\0C57P01\0Mpostmaster exit\0\0`,
  'latin1',
);

/**
 * The database behind a server that dies once: as soon as an answered connection has sent
 * `lastWords`. Its last message stands in the same packet as the answer, so it reaches the client
 * between two queries.
 */
async function dyingAfter(lastWords: string, settings: PostgresQueueSettings) {
  const url = new URL(settings.url);
  const target = Number(url.port);
  let hasDied = false;
  const server = createServer((client) => {
    const database = connect(target, '127.0.0.1');
    let said = '';
    client.on('data', (bytes) => {
      said += bytes.toString('latin1');
      database.write(bytes);
    });
    database.on('data', (bytes) => {
      const dies = !hasDied && said.includes(lastWords) && bytes.includes(READY_FOR_QUERY);
      hasDied ||= dies;
      if (dies) client.end(Buffer.concat([bytes, POSTMASTER_EXIT]));
      else client.write(bytes);
    });
    for (const [one, other] of [
      [client, database],
      [database, client],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  });
  const { port, close } = await listen(server);
  onTestFinished(close);
  url.port = String(port);
  return { settings: { ...settings, url: url.href }, hasDied: () => hasDied };
}

// An error that nobody takes fails the run.
test.each([
  ['connecting', 'database'],
  ['its first question', 'min_client_version'],
  ['its last question', 'server_version_num'],
])(
  'a database that dies as a worker starts, after %s, does not end the process',
  async (_, lastWords) => {
    const healthy = await database();
    await migrate(healthy);
    const { settings, hasDied } = await dyingAfter(lastWords, healthy);
    const worker = await openUntilReady(
      () => {
        const opened = openBullWorker(settings, async () => {}, { concurrency: 1 });
        return opened.on('error', () => {});
      },
      { signal: new AbortController().signal, onFailure: () => {} },
    );
    onTestFinished(() => worker.close());
    expect(hasDied()).toBe(true);
  },
);

test('an add that waits for a lock costs no more than the limit', async () => {
  const settings = await database();
  await migrate(settings);
  const queue = open(settings);
  await until(queue, 'ready');
  const { url, schema } = settings;
  const letGo = await holdLocks(url, `LOCK TABLE ${schema}.job IN ACCESS EXCLUSIVE MODE`);
  const before = performance.now();
  await expect(queue.enqueue(someJob(), 500)).rejects.toMatchObject({ code: 'deadline_exceeded' });
  expect(performance.now() - before).toBeLessThan(1_000);
  await letGo();
});
