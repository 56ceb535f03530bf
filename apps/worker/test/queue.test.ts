import { openBullWorker } from '@payonce/core/queue/bull-queue';
import { createLog } from '@payonce/core/runtime/log';
import { createMetrics } from '@payonce/core/runtime/metrics';
import type { DeadLetterInput } from '@payonce/orders/notifications/records/dead-letter';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import { eventually } from '@payonce/testkit/machine/poll';
import { UnrecoverableError } from 'bullmq';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OrdersDatabase } from '../src/batch/orders-database.js';
import { createWorkerMetrics } from '../src/metrics/worker-metrics.js';
import { type NotificationWorker, startWorker } from '../src/notification-worker.js';
import { openTestQueue, queueKinds, type TestQueue } from './queues.js';
import { makeShop, tampered } from './shop.js';

const shop = makeShop();
const log = createLog({ name: 'test', level: 'silent' });

const done = ({ notificationId }: VerifiedNotification) =>
  ({ status: 'fulfilled', value: { notificationId, copy: false, events: [] } }) as const;

/** The fate of a job in the queue, with a database that the test controls. */
describe.each(queueKinds)('jobs on %s', (kind) => {
  let queue: TestQueue;
  let workers: NotificationWorker[];
  let deadLetters: DeadLetterInput[];
  let applied: string[];

  beforeEach(async () => {
    queue = await openTestQueue(kind);
    workers = [];
    deadLetters = [];
    applied = [];
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.close()));
  });

  function start(database: Partial<OrdersDatabase> = {}, options = {}) {
    const worker = startWorker({
      queues: [queue.settings],
      channels: () => shop.channels,
      database: {
        apply: async (batch) => {
          applied.push(...batch.map(({ notificationId }) => notificationId));
          return batch.map(done);
        },
        deadLetter: async (letter) => void deadLetters.push(letter),
        ...database,
      },
      sizes: { concurrency: 20, batchSize: 10, batchesInFlight: 2 },
      log,
      metrics: createWorkerMetrics(createMetrics('test')),
      ...options,
    });
    workers.push(worker);
    return worker;
  }

  test('an applied job completes, and a consumer reports that it is ready', async () => {
    const worker = start();
    const job = shop.jobFor(shop.payment({ orderNumber: 'A1' }).body);
    const id = await queue.send(job);
    await eventually(async () => (await queue.stateOf(id)) === 'completed');
    expect(applied).toEqual([job.data.notificationId]);
    expect(await worker.consumers[0]?.state()).toBe('ready');
  });

  test('a paused consumer takes no job, even one that it was waiting for, and takes it when it resumes', async () => {
    const worker = start();
    const [consumer] = worker.consumers;
    await eventually(async () => (await consumer?.state()) === 'ready');
    const first = await queue.send(shop.jobFor(shop.payment({ orderNumber: 'P0' }).body));
    await eventually(async () => (await queue.stateOf(first)) === 'completed');
    consumer?.pause();
    const jobs = ['P1', 'P2', 'P3'].map((orderNumber) =>
      shop.jobFor(shop.payment({ orderNumber }).body),
    );
    for (const job of jobs) {
      const id = await queue.send(job);
      await eventually(async () => (await queue.stateOf(id)) === 'waiting');
    }
    expect(applied).toHaveLength(1);
    expect(consumer?.taken).toBe(1);
    expect(await consumer?.state()).toBe('ready');
    consumer?.resume();
    await eventually(() => applied.length === 4, 2_000);
    for (const { id } of jobs) {
      await eventually(async () => (await queue.stateOf(id)) === 'completed');
      expect((await queue.inside.getJob(id))?.attemptsMade).toBe(1);
    }
  });

  test('a consumer that was paused before it was open begins on resume', async () => {
    const id = await queue.send(shop.jobFor(shop.payment({ orderNumber: 'P4' }).body));
    const worker = start();
    worker.consumers[0]?.pause();
    await eventually(async () => (await worker.consumers[0]?.state()) === 'ready');
    expect(await queue.stateOf(id)).toBe('waiting');
    worker.consumers[0]?.resume();
    await eventually(async () => (await queue.stateOf(id)) === 'completed', 2_000);
  });

  test('a job that a worker a year ahead delayed waits no longer', async () => {
    const YEAR_MS = 365 * 86_400_000;
    const id = await queue.send(shop.jobFor(shop.payment({ orderNumber: 'P5' }).body));
    const [consumer] = start({ apply: () => Promise.reject(new Error('away')) }).consumers;
    await eventually(async () => (await queue.stateOf(id)) === 'delayed');
    expect(await consumer?.promoteMisdated(new Date())).toBe(0);
    // From the view of a correct clock.
    expect(await consumer?.promoteMisdated(new Date(Date.now() - YEAR_MS))).toBe(1);
  });

  test('the job of a dead letter is gone from every state, so that the genuine one under its ID is processed', async () => {
    const genuine = shop.jobFor(shop.payment({ orderNumber: 'A2' }).body);
    const id = await queue.send(tampered(genuine));
    start();
    await eventually(async () => (await queue.stateOf(id)) === 'unknown');
    expect(deadLetters).toMatchObject([
      { queue: kind, jobId: id, reason: 'verification_failed', error: 'bad_signature' },
    ]);
    expect(applied).toEqual([]);
    expect(await queue.send(genuine)).toBe(id);
    await eventually(async () => (await queue.stateOf(id)) === 'completed');
    expect(applied).toEqual([genuine.data.notificationId]);
  });

  test('a job becomes a dead letter whatever its ID, and its neighbours go on', async () => {
    const genuine = shop.jobFor(shop.payment({ orderNumber: 'A1' }).body);
    // PostgreSQL's queue takes no ID that long.
    const id = 'x'.repeat(kind === 'redis' ? 50_000 : 2_000);
    await queue.send({ ...tampered(genuine), id });
    await queue.send(genuine);
    start();
    await eventually(() => deadLetters.length === 1 && applied.length === 1);
    expect(deadLetters[0]?.jobId).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test('a job whose dead letter cannot be stored stays in the queue until it can, at the cost of no attempt', async () => {
    const id = await queue.send(tampered(shop.jobFor(shop.payment({ orderNumber: 'A3' }).body)));
    let refusals = 3;
    start(
      {
        deadLetter: async (letter) => {
          refusals -= 1;
          if (refusals >= 0) throw new Error('the database is away');
          const job = await queue.inside.getJob(id);
          expect(job?.attemptsMade).toBe(0);
          deadLetters.push(letter);
        },
      },
      { deadLetterRetryMs: 20 },
    );
    await eventually(async () => (await queue.stateOf(id)) === 'unknown');
    expect(refusals).toBe(-1);
    expect(deadLetters).toHaveLength(1);
  });

  test('a job that was not applied waits and is retried', async () => {
    let failures = 1;
    start({
      apply: async (batch) => {
        if (failures > 0) {
          failures -= 1;
          throw new Error('the database is away');
        }
        applied.push(...batch.map(({ notificationId }) => notificationId));
        return batch.map(done);
      },
    });
    const job = shop.jobFor(shop.payment({ orderNumber: 'A4' }).body);
    const id = await queue.send(job);
    await eventually(async () => (await queue.stateOf(id)) === 'delayed');
    await eventually(async () => (await queue.stateOf(id)) === 'completed');
    expect(applied).toEqual([job.data.notificationId]);
    expect(deadLetters).toEqual([]);
  });

  test('a job becomes a dead letter when its last attempt fails, not before', async () => {
    const { id, data } = shop.jobFor(shop.payment({ orderNumber: 'A5' }).body);
    await queue.inside.add('alipay', data, { jobId: id, attempts: 2, backoff: 10 });
    let attempts = 0;
    start({
      apply: () => {
        attempts += 1;
        expect(deadLetters).toEqual([]);
        return Promise.reject(new TypeError('a defect'));
      },
    });
    await eventually(async () => (await queue.stateOf(id)) === 'unknown');
    expect(attempts).toBe(2);
    expect(deadLetters).toMatchObject([
      { jobId: id, reason: 'attempts_exhausted', error: 'TypeError', job: data },
    ]);
  });

  test('failed jobs are processed again instead of swallowing re-sent copies', async () => {
    const job = shop.jobFor(shop.payment({ orderNumber: 'A6' }).body);
    const id = await queue.send(job);
    await failByHand(queue, id);
    expect(await queue.stateOf(id)).toBe('failed');
    start({}, { failedSweepIntervalMs: 50 });
    await eventually(async () => (await queue.stateOf(id)) === 'completed');
    expect(applied).toEqual([job.data.notificationId]);
  });

  test('closing finishes the running jobs, and leaves the others in the queue', async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let taken = 0;
    const worker = start({
      apply: async (batch) => {
        taken += batch.length;
        await held;
        return batch.map(done);
      },
    });
    const ids: string[] = [];
    for (let index = 0; index < 30; index += 1) {
      const { body } = shop.payment({ orderNumber: `B${index}` });
      ids.push(await queue.send(shop.jobFor(body)));
    }
    await eventually(async () => (await queue.inside.getActiveCount()) === 20);
    const closing = worker.close();
    release();
    await closing;
    const states = await Promise.all(ids.map((id) => queue.stateOf(id)));
    expect(states.filter((state) => state === 'completed')).toHaveLength(20);
    expect(states.filter((state) => state === 'waiting')).toHaveLength(10);
    expect(taken).toBe(20);
  });

  test('a worker with broken connections to the queue takes the next job', async () => {
    const worker = start();
    await eventually(async () => (await worker.consumers[0]?.state()) === 'ready');
    await queue.breakConnections();
    const id = await queue.sendAgainAndAgain(shop.jobFor(shop.payment({ orderNumber: 'A7' }).body));
    await eventually(async () => (await queue.stateOf(id).catch(() => '')) === 'completed');
    expect(applied).toHaveLength(1);
    await eventually(async () => (await worker.consumers[0]?.state()) === 'ready');
  });

  test('two workers on one queue share the jobs, and none is applied twice', async () => {
    start();
    start();
    const ids = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        queue.send(shop.jobFor(shop.payment({ orderNumber: `C${index}` }).body)),
      ),
    );
    await eventually(async () => (await queue.inside.getCompletedCount()) === ids.length);
    expect(applied).toHaveLength(60);
    expect(new Set(applied).size).toBe(60);
  });
});

/** As a third-party tool might. */
async function failByHand(queue: TestQueue, id: string): Promise<void> {
  const other = openBullWorker(queue.settings, async () => {}, {
    concurrency: 1,
    autorun: false,
  });
  const errors: { on(event: 'error', listener: () => void): unknown } = other;
  errors.on('error', () => {});
  await other.waitUntilReady();
  const job = await other.getNextJob('a-token');
  expect(job?.id).toBe(id);
  await job?.moveToFailed(new UnrecoverableError('by hand'), 'a-token', false);
  await other.close();
}
