import { startFaultProxy } from '@payonce/testkit/faults/proxy';
import { eventually } from '@payonce/testkit/machine/poll';
import { type OwnRedis, startOwnRedis } from '@payonce/testkit/stores/redis-server';
import { Redis } from 'ioredis';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { openBullQueue } from '../src/queue/bull-queue.js';
import type { NewJob } from '../src/queue/job.js';
import type { NotificationQueue } from '../src/queue/notification-queue.js';
import { openNotificationQueue } from '../src/queue/open-queue.js';
import type { RedisQueueSettings } from '../src/queue/queue-settings.js';
import { createLog } from '../src/runtime/log.js';
import { redisSettings, someJob } from './queue-jobs.js';

/**
 * Between the reply to an add and the reply to its WAIT only the master has the job. A connection
 * that breaks then reconnects at once, and must not count as the one that wrote.
 */

const WAIT_COMMAND = /\$4\r\nwait\r\n/i;

let replica: OwnRedis;
/** Past the proxy. */
let inMaster: RedisQueueSettings;
let queue: NotificationQueue;
/** Pieces of the commands that reached the proxy since the link was to be cut. */
let given: string[];
let isCut: boolean;
let cutAtNextWait: () => void;

beforeEach(async () => {
  const master = await startOwnRedis();
  onTestFinished(() => master.remove());
  replica = await startOwnRedis({ replicaof: `127.0.0.1 ${master.port}` });
  onTestFinished(() => replica.remove());
  let isArmed = false;
  const watch = (piece: Buffer) => {
    given.push(String(piece));
    if (!isArmed || !WAIT_COMMAND.test(String(piece))) return;
    isArmed = false;
    isCut = true;
    proxy.inflict({ kind: 'refuse' });
    proxy.heal();
  };
  given = [];
  isCut = false;
  const proxy = await startFaultProxy({ targetPort: master.port, watch: () => watch });
  onTestFinished(() => proxy.close());
  cutAtNextWait = () => {
    given = [];
    isArmed = true;
  };
  inMaster = redisSettings(master.url, { waitReplicas: 1 });
  const url = `redis://127.0.0.1:${proxy.port}`;
  queue = openNotificationQueue(
    { ...inMaster, topology: { kind: 'single', url } },
    createLog({ name: 'test', level: 'silent' }),
  );
  onTestFinished(() => queue.close());
  // A replica can be online a moment before it confirms anything.
  await eventually(() => enqueue(someJob('first')));
});

const enqueue = (job: NewJob) => queue.enqueue(job, 2_000);

/**
 * The IDs of the jobs in a server, each as often as a worker would get it; without the first one.
 */
async function jobsIn(settings: RedisQueueSettings): Promise<(string | undefined)[]> {
  const bullQueue = openBullQueue(settings);
  try {
    const ids = (await bullQueue.getJobs('wait')).map(({ id }) => id);
    return ids.filter((id) => id !== someJob('first').id).sort();
  } finally {
    await bullQueue.close();
  }
}

async function isOnReplica(job: NewJob): Promise<boolean> {
  const redis = new Redis(replica.url);
  try {
    return (await redis.exists(`${inMaster.prefix}:notifications:${job.id}`)) === 1;
  } finally {
    redis.disconnect();
  }
}

async function untilBack(): Promise<void> {
  await eventually(() => expect(queue.state).toEqual({ state: 'ready' }));
}

test('a connection that is lost between an add and its WAIT acknowledges nothing, and neither does its copy before a replica has it', async () => {
  const job = someJob();
  replica.suspend();
  cutAtNextWait();
  await expect(enqueue(job)).rejects.toMatchObject({ code: 'queue_unavailable' });
  expect(isCut).toBe(true);
  // The add was answered before: they are two writes.
  expect(given.filter((piece) => WAIT_COMMAND.test(piece)).join()).not.toContain(job.id);
  expect(await jobsIn(inMaster)).toEqual([job.id]);
  await untilBack();
  // Sent again, the job is known to the master alone.
  await expect(enqueue(job)).rejects.toMatchObject({ detail: '0 of 1 replicas have it' });
  replica.resume();
  await eventually(() => enqueue(job));
  expect(await isOnReplica(job)).toBe(true);
  expect(await jobsIn(inMaster)).toEqual([job.id]);
});

test('jobs that were added together are lost together: none is acknowledged, each is when it is sent again, and exists once', async () => {
  const jobs = Array.from({ length: 20 }, () => someJob());
  cutAtNextWait();
  const first = await Promise.allSettled(jobs.map(enqueue));
  expect(isCut).toBe(true);
  for (const { status } of first) expect(status).toBe('rejected');
  await untilBack();
  await Promise.all(jobs.map(enqueue));
  for (const job of jobs) expect(await isOnReplica(job)).toBe(true);
  expect(await jobsIn(inMaster)).toEqual(jobs.map(({ id }) => id).sort());
});
