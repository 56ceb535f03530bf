import { eventually } from '@payonce/testkit/machine/poll';
import {
  type OwnRedis,
  type RedisSettings,
  startOwnRedis,
} from '@payonce/testkit/stores/redis-server';
import { expect, onTestFinished, test } from 'vitest';
import type { RedisQueueSettings } from '../src/queue/queue-settings.js';
import { someJob } from './queue-jobs.js';
import { LIMIT_MS, type Opened, openWithStandby } from './queue-standby-support.js';

/** The allowance for a busy machine, beyond the limit. */
const MARGIN_MS = 400;

async function ownRedis(settings?: RedisSettings): Promise<OwnRedis> {
  const redis = await startOwnRedis(settings);
  onTestFinished(() => redis.remove());
  return redis;
}

async function open(redis: OwnRedis, changes: Partial<RedisQueueSettings> = {}): Promise<Opened> {
  const queue = await openWithStandby(redis, changes);
  onTestFinished(queue.close);
  return queue;
}

/** Adds until the first store takes one again; the standby takes those in between. */
async function addUntilBack({ add }: Opened): Promise<void> {
  await eventually(async () => expect((await add()).store).toBe('redis'));
}

test('while Redis takes every job, its standby gets none', async () => {
  const queue = await open(await ownRedis());
  await queue.untilStoresAre('ready', 'ready');
  const job = someJob();
  expect(await queue.add(job)).toMatchObject({ store: 'redis' });
  expect(await queue.has('redis', job)).toBe(true);
  expect(await queue.has('postgres', job)).toBe(false);
  expect(queue.switches).toEqual([]);
});

interface Failing {
  readonly why: string;
  readonly settings?: RedisSettings;
  readonly waitReplicas?: number;
  readonly redisIs: 'ready' | 'down';
  readonly fail?: (redis: OwnRedis) => Promise<void> | void;
}

const failing: readonly Failing[] = [
  { why: 'was killed', redisIs: 'ready', fail: (redis) => redis.kill() },
  { why: 'hangs', redisIs: 'ready', fail: (redis) => redis.suspend() },
  { why: 'has no room', redisIs: 'ready', fail: (redis) => redis.set('maxmemory', '1') },
  { why: 'was full at boot', redisIs: 'down', settings: { maxmemory: '1' } },
  { why: 'does not wait for its disk', redisIs: 'down', settings: { appendfsync: 'everysec' } },
  { why: 'may evict jobs', redisIs: 'down', settings: { 'maxmemory-policy': 'allkeys-lru' } },
  {
    why: 'refuses CONFIG',
    redisIs: 'down',
    settings: { user: 'default on nopass ~* &* +@all -config' },
  },
  { why: 'has no replica', redisIs: 'down', waitReplicas: 1 },
];

test.each(failing)(
  'a Redis that $why: the standby has the job within the deadline',
  async (one) => {
    const redis = await ownRedis(one.settings);
    const queue = await open(redis, { waitReplicas: one.waitReplicas ?? 0 });
    await queue.untilStoresAre(one.redisIs, 'ready');
    await one.fail?.(redis);
    const jobs = Array.from({ length: 5 }, () => someJob());
    for (const { store, tookMs } of await Promise.all(jobs.map((job) => queue.add(job)))) {
      expect(store).toBe('postgres');
      expect(tookMs).toBeLessThan(LIMIT_MS);
    }
    for (const job of jobs) expect(await queue.has('postgres', job)).toBe(true);
    expect(queue.state()).toBe('ready');
    expect(queue.switches).toEqual(['postgres']);
    expect(queue.said().filter((text) => text === 'queue.standby_took_over')).toHaveLength(1);
    redis.resume();
  },
);

test('a replica that stops answering: the standby takes over', async () => {
  const master = await ownRedis();
  const replica = await ownRedis({ replicaof: `127.0.0.1 ${master.port}` });
  const queue = await open(master, { waitReplicas: 1 });
  await queue.untilStoresAre('ready', 'ready');
  await addUntilBack(queue); // a replica can be online a moment before it confirms anything
  replica.suspend();
  const { store, tookMs } = await queue.add();
  expect(store).toBe('postgres');
  expect(tookMs).toBeLessThan(LIMIT_MS);
  replica.resume();
  await addUntilBack(queue);
});

test('Redis may be down at boot; once it is up, it is the queue', async () => {
  const redis = await ownRedis();
  await redis.kill();
  const queue = await open(redis);
  await queue.untilStoresAre('down', 'ready');
  expect(await queue.add()).toMatchObject({ store: 'postgres' });
  await redis.start();
  await addUntilBack(queue);
  expect(queue.switches).toEqual(['postgres', 'redis']);
});

test('PostgreSQL may be down at boot: Redis is enough', async () => {
  const redis = await ownRedis();
  const queue = await open(redis);
  await queue.postgres.away(true);
  await queue.untilStoresAre('ready', 'down');
  expect(queue.state()).toBe('ready');
  expect(await queue.add()).toMatchObject({ store: 'redis' });
  await queue.postgres.away(false);
  await queue.untilStoresAre('ready', 'ready');
});

test('a Redis that is known to hang costs no share, except for an occasional probe', async () => {
  const redis = await ownRedis();
  const queue = await open(redis);
  await queue.untilStoresAre('ready', 'ready');
  redis.suspend();
  const first = await queue.add();
  expect(first.tookMs).toBeGreaterThan(600);
  const end = performance.now() + 3_500;
  const slow: number[] = [];
  let adds = 0;
  while (performance.now() < end) {
    const round = await Promise.all(Array.from({ length: 10 }, () => queue.add()));
    expect(new Set(round.map(({ store }) => store))).toEqual(new Set(['postgres']));
    slow.push(...round.map(({ tookMs }) => tookMs).filter((ms) => ms > 500));
    adds += round.length;
  }
  expect(adds).toBeGreaterThan(100);
  // Every two seconds one add asks Redis; once its connection counts as dead, not even that one
  // waits.
  expect(slow.length).toBeLessThanOrEqual(2);
  expect(queue.switches).toEqual(['postgres']);
  redis.resume();
  await addUntilBack(queue);
  expect(queue.switches).toEqual(['postgres', 'redis']);
  const back = queue.said().filter((text) => text === 'queue.first_store_returned');
  expect(back).toHaveLength(1);
});

test('a full Redis is the queue again as soon as there is room', async () => {
  const redis = await ownRedis();
  const queue = await open(redis);
  await queue.untilStoresAre('ready', 'ready');
  await redis.set('maxmemory', '1');
  expect(await queue.add()).toMatchObject({ store: 'postgres' });
  await redis.set('maxmemory', '0');
  await addUntilBack(queue);
});

test('a job that was abandoned in Redis may be in both stores', async () => {
  const redis = await ownRedis();
  const queue = await open(redis);
  await queue.untilStoresAre('ready', 'ready');
  redis.suspend();
  const job = someJob();
  expect(await queue.add(job)).toMatchObject({ store: 'postgres' });
  redis.resume();
  await eventually(async () => expect(await queue.has('redis', job)).toBe(true));
  expect(await queue.has('postgres', job)).toBe(true);
});

test('without a standby, a slow Redis has the whole time', async () => {
  const redis = await ownRedis();
  const queue = await open(redis);
  await queue.untilStoresAre('ready', 'ready');
  await queue.postgres.away(true);
  await queue.untilStoresAre('ready', 'down');
  redis.suspend();
  setTimeout(() => redis.resume(), 1_200);
  const { store, tookMs } = await queue.add();
  expect(store).toBe('redis');
  expect(tookMs).toBeGreaterThan(1_000);
});

test('a standby that hangs while it serves leaves Redis its share of the deadline', async () => {
  const redis = await ownRedis();
  const queue = await open(redis);
  await queue.untilStoresAre('ready', 'ready');
  redis.suspend();
  expect(await queue.add()).toMatchObject({ store: 'postgres' });
  redis.resume();
  await queue.untilStoresAre('ready', 'ready');
  await queue.postgres.whileLocked(async () => {
    const { store, tookMs } = await queue.add();
    expect(store).toBe('redis');
    expect(tookMs).toBeLessThan(LIMIT_MS + MARGIN_MS);
  });
});

test('when neither store takes it nothing is accepted, and the reasons of both are reported', async () => {
  const redis = await ownRedis();
  const queue = await open(redis);
  await queue.untilStoresAre('ready', 'ready');
  await redis.kill();
  await queue.postgres.away(true);
  await queue.untilStoresAre('down', 'down');
  expect(queue.state()).toBe('down');
  const before = performance.now();
  await expect(queue.add()).rejects.toMatchObject({
    code: 'queue_unavailable',
    detail: expect.stringMatching(/redis: down: .*; postgres: down: /),
  });
  expect(performance.now() - before).toBeLessThan(500);
  expect(queue.switches).toEqual([]);
});

test('when both hang, the deadline is kept', async () => {
  const redis = await ownRedis();
  const queue = await open(redis);
  await queue.untilStoresAre('ready', 'ready');
  redis.suspend();
  await queue.postgres.whileLocked(async () => {
    const before = performance.now();
    await expect(queue.add()).rejects.toMatchObject({ code: 'queue_unavailable' });
    expect(performance.now() - before).toBeLessThan(LIMIT_MS + MARGIN_MS);
  });
  redis.resume();
});
