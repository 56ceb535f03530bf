import { eventually } from '@payonce/testkit/machine/poll';
import { type OwnRedis, startOwnRedis } from '@payonce/testkit/stores/redis-server';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openBullQueue, openBullWorker } from '../src/queue/bull-queue.js';
import type { NotificationJob } from '../src/queue/job.js';
import type { NotificationQueue } from '../src/queue/notification-queue.js';
import { openNotificationQueue } from '../src/queue/open-queue.js';
import type { RedisQueueSettings } from '../src/queue/queue-settings.js';
import { createLog } from '../src/runtime/log.js';
import { redisSettings, someJob } from './queue-jobs.js';

const log = createLog({ name: 'test', level: 'silent' });

function open(settings: RedisQueueSettings): NotificationQueue {
  const queue = openNotificationQueue(settings, log);
  onTestFinished(() => queue.close());
  return queue;
}

async function ownRedis(settings?: Record<string, string>): Promise<OwnRedis> {
  const redis = await startOwnRedis(settings);
  onTestFinished(() => redis.remove());
  return redis;
}

async function until(queue: NotificationQueue, state: 'ready' | 'down'): Promise<void> {
  await eventually(() => expect(queue.state).toMatchObject({ state }));
}

function look(settings: RedisQueueSettings) {
  const bullQueue = openBullQueue(settings);
  onTestFinished(() => bullQueue.close());
  return bullQueue;
}

test('a job reaches a worker unchanged, once for five copies', async () => {
  const settings = redisSettings(inject('redisUrl'));
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
  onTestFinished(() => worker.close());
  await eventually(async () => {
    expect(await look(settings).getJobCounts('completed')).toEqual({ completed: 1 });
  });
  expect(seen).toEqual([[job.id, job.data]]);
});

test('a job has the required options: attempts for a day, and no removal when it fails', async () => {
  const settings = redisSettings(inject('redisUrl'));
  const queue = open(settings);
  await until(queue, 'ready');
  const job = someJob();
  await queue.enqueue(job, 2_000);
  const stored = await look(settings).getJob(job.id);
  expect(stored?.opts).toMatchObject({
    attempts: 140,
    backoff: { type: 'capped' },
    removeOnFail: false,
  });
});

test("a failed attempt is repeated after about a second, by the job's backoff", async () => {
  const settings = redisSettings(inject('redisUrl'));
  const queue = open(settings);
  await until(queue, 'ready');
  const job = someJob();
  await queue.enqueue(job, 2_000);
  const worker = openBullWorker(settings, async () => Promise.reject(new Error('store is down')), {
    concurrency: 1,
  });
  worker.on('error', () => {});
  onTestFinished(() => worker.close());
  const bullQueue = look(settings);
  await eventually(async () => {
    const stored = await bullQueue.getJob(job.id);
    expect(stored?.attemptsMade).toBeGreaterThanOrEqual(1);
    expect(stored?.delay).toBeGreaterThanOrEqual(800);
    expect(stored?.delay).toBeLessThanOrEqual(2_000);
  });
});

test.each([
  ['appendonly', 'no'],
  ['appendfsync', 'everysec'],
  ['no-appendfsync-on-rewrite', 'yes'],
  ['maxmemory-policy', 'allkeys-lru'],
])('a Redis with %s %s takes nothing', async (name, value) => {
  const redis = await ownRedis({ [name]: value });
  const settings = redisSettings(redis.url);
  const queue = open(settings);
  await until(queue, 'down');
  await eventually(() =>
    expect(queue.state).toMatchObject({ reason: expect.stringContaining(`${name} is ${value}`) }),
  );
  await expect(queue.enqueue(someJob(), 2_000)).rejects.toMatchObject({
    code: 'queue_unavailable',
  });
  expect(await look(settings).getJobCounts('wait')).toEqual({ wait: 0 });
});

test.each(['managed', 'relaxed'] as const)(
  'a weak Redis serves when the operator says that it is %s',
  async (durability) => {
    const redis = await ownRedis({ appendonly: 'no' });
    const queue = open(redisSettings(redis.url, { durability }));
    await until(queue, 'ready');
    await queue.enqueue(someJob(), 2_000);
  },
);

test('a Redis that refuses CONFIG takes nothing, unless it is configured as managed', async () => {
  const redis = await ownRedis({ user: 'default on nopass ~* &* +@all -config' });
  const checked = open(redisSettings(redis.url));
  await eventually(() =>
    expect(checked.state).toEqual({ state: 'down', reason: 'not durable: Redis refuses CONFIG' }),
  );
  await expect(checked.enqueue(someJob(), 2_000)).rejects.toMatchObject({
    code: 'queue_unavailable',
  });
  const managed = open(redisSettings(redis.url, { durability: 'managed' }));
  await until(managed, 'ready');
  await managed.enqueue(someJob(), 2_000);
});

test('an acknowledged job survives a crash of Redis, and the queue returns by itself', async () => {
  const redis = await ownRedis();
  const settings = redisSettings(redis.url);
  const queue = open(settings);
  await until(queue, 'ready');
  const job = someJob();
  await queue.enqueue(job, 2_000);
  await redis.kill();
  await until(queue, 'down');
  const before = performance.now();
  await expect(queue.enqueue(someJob(), 2_000)).rejects.toMatchObject({
    code: 'queue_unavailable',
  });
  expect(performance.now() - before).toBeLessThan(500);
  await redis.start();
  await until(queue, 'ready');
  expect(await look(settings).getJob(job.id)).toMatchObject({ data: job.data });
  await queue.enqueue(someJob(), 2_000);
});

test('a Redis that returns with weaker settings takes nothing', async () => {
  const redis = await ownRedis();
  const queue = open(redisSettings(redis.url));
  await until(queue, 'ready');
  await redis.kill();
  await until(queue, 'down');
  await redis.start({ appendfsync: 'everysec' });
  await eventually(() =>
    expect(queue.state).toMatchObject({
      state: 'down',
      reason: expect.stringContaining('appendfsync'),
    }),
  );
});

test('Redis may be down at boot: nothing hangs, and the queue is ready once it is up', async () => {
  const redis = await ownRedis();
  await redis.kill();
  const queue = open(redisSettings(redis.url));
  await expect(queue.enqueue(someJob(), 2_000)).rejects.toMatchObject({
    code: 'queue_unavailable',
  });
  await redis.start();
  await until(queue, 'ready');
  await queue.enqueue(someJob(), 2_000);
});

test('a Redis that hangs costs no more than the limit, and is found again', async () => {
  const redis = await ownRedis();
  const queue = open(redisSettings(redis.url));
  await until(queue, 'ready');
  redis.suspend();
  const before = performance.now();
  await expect(queue.enqueue(someJob(), 700)).rejects.toMatchObject({ code: 'deadline_exceeded' });
  expect(performance.now() - before).toBeLessThan(1_000);
  redis.resume();
  await until(queue, 'ready');
  await queue.enqueue(someJob(), 2_000);
});

test('a Redis that is nearly full takes nothing, while its workers still have room to empty it', async () => {
  const redis = await ownRedis();
  const settings = redisSettings(redis.url);
  const queue = open(settings);
  await until(queue, 'ready');
  await queue.enqueue(someJob(), 2_000);
  const admin = new Redis(redis.url);
  await admin.setrange('another tenant', 40_000_000, 'x');
  const [, used] = /^used_memory:(\d+)/m.exec(await admin.info('memory')) ?? [];
  admin.disconnect();
  await redis.set('maxmemory', String(Math.round(Number(used) * 1.06)));
  await eventually(() =>
    expect(queue.state).toMatchObject({
      state: 'down',
      reason: expect.stringMatching(/^full: 9\d %/),
    }),
  );
  await expect(queue.enqueue(someJob(), 2_000)).rejects.toMatchObject({
    code: 'queue_unavailable',
  });
  const worker = openBullWorker(settings, async () => {}, { concurrency: 1 });
  onTestFinished(() => worker.close());
  await eventually(async () => {
    expect(await look(settings).getJobCounts('completed')).toEqual({ completed: 1 });
  });
  await redis.set('maxmemory', '0');
  await until(queue, 'ready');
});

test('as soon as a replica can be promoted, a job counts only once replicas have it', async () => {
  const master = await ownRedis();
  const replica = await ownRedis({ replicaof: `127.0.0.1 ${master.port}` });
  const careless = open(redisSettings(master.url));
  await eventually(() =>
    expect(careless.state).toMatchObject({
      state: 'down',
      reason: expect.stringContaining('PAYONCE_REDIS_WAIT_REPLICAS'),
    }),
  );
  const careful = open(redisSettings(master.url, { waitReplicas: 1 }));
  await until(careful, 'ready');
  // The master reports it as online; on a busy machine the replica's first confirmation takes
  // longer than an add waits.
  await eventually(() => careful.enqueue(someJob(), 2_000));
  await Promise.all(Array.from({ length: 20 }, () => careful.enqueue(someJob(), 2_000)));
  replica.suspend();
  await expect(careful.enqueue(someJob(), 2_000)).rejects.toMatchObject({
    code: 'queue_unavailable',
    detail: '0 of 1 replicas have it',
  });
  replica.resume();
});

test('while no replica has caught up, a job that needs one is not taken', async () => {
  const alone = await ownRedis();
  const queue = open(redisSettings(alone.url, { waitReplicas: 1 }));
  await eventually(() =>
    expect(queue.state).toEqual({
      state: 'down',
      reason: 'not durable: 0 of 1 replicas are online',
    }),
  );
});

test('a replica takes no job', async () => {
  const master = await ownRedis();
  const replica = await ownRedis({ replicaof: `127.0.0.1 ${master.port}` });
  const queue = open(redisSettings(replica.url));
  await eventually(() =>
    expect(queue.state).toEqual({ state: 'down', reason: 'not durable: role is slave' }),
  );
});
