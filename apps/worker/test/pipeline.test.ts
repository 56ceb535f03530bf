import { notificationJobOptions } from '@payonce/core/queue/job-options';
import { eventually } from '@payonce/testkit/machine/poll';
import { holdLocks } from '@payonce/testkit/stores/sessions';
import { beforeEach, describe, expect, test } from 'vitest';
import { openTestQueue, queueKinds, type TestQueue } from './queues.js';
import { openTestDatabase, startTestWorker, type TestDatabase } from './running.js';
import { elsewhere, makeShop, tampered } from './shop.js';

const shop = makeShop();

/** From the gateway's job to the order, on real stores. */
describe.each(queueKinds)('from the %s queue to the order', (kind) => {
  let queue: TestQueue;
  let database: TestDatabase;

  beforeEach(async () => {
    [queue, database] = await Promise.all([openTestQueue(kind), openTestDatabase()]);
  });

  const start = (options: { releaseIntervalMs?: number } = {}) =>
    startTestWorker({ queue, database, shop, ...options });
  const jobOf = (orderNumber: string) => shop.jobFor(shop.payment({ orderNumber }).body);
  const completed = (id: string) =>
    eventually(async () => (await queue.stateOf(id)) === 'completed');

  test('a job becomes a paid order, one order event, and one line in the log without the payer', async () => {
    await database.register('A1');
    const worker = await start();
    const job = jobOf('A1');
    await completed(await queue.send(job));
    expect(await database.order('A1')).toMatchObject({
      status: 'paid',
      paidAmount: 8_888n,
      facts: [{ key: 'paid:alipay:TA1' }],
      orderEvents: [{ type: 'order.paid' }],
    });
    const lines = worker.lines.filter((line) => line.includes('notifications.applied'));
    const { notificationId, receivedAt } = job.data;
    const orders = [{ orderNumber: 'A1', outcome: 'applied' }];
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        size: 1,
        applied: 1,
        notifications: [{ channel: 'shop', notificationId, receivedAt, orders }],
      },
    ]);
    expect(worker.lines.join()).not.toContain('buyer');
    expect(worker.lines.join()).not.toContain(job.data.bodyText);
  });

  test('fifty copies of one payment, half of them past the queue’s own filter, are applied once', async () => {
    await database.register('A2');
    const payment = shop.payment({ orderNumber: 'A2' });
    await start();
    const ids = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const { body } = shop.signer.resend(payment);
        if (index % 2 === 0) return queue.send(shop.jobFor(body));
        const jobId = `past-the-filter-${index}`;
        const former = shop.formerJobFor(body);
        await queue.inside.add('alipay', former, { ...notificationJobOptions, jobId });
        return jobId;
      }),
    );
    for (const id of ids) await completed(id);
    expect(await database.order('A2')).toMatchObject({ status: 'paid', paidAmount: 8_888n });
    expect(await database.prisma.notification.findMany()).toMatchObject([
      { status: 'applied', copies: 25 },
    ]);
    expect(await database.prisma.orderEvent.count()).toBe(1);
  });

  test('a job that was tampered with changes no order, is kept, and does not swallow the genuine one', async () => {
    await database.register('A3');
    const genuine = jobOf('A3');
    const id = await queue.send(tampered(genuine));
    await start();
    await eventually(async () => (await queue.stateOf(id)) === 'unknown');
    expect(await database.order('A3')).toMatchObject({ status: 'pending', facts: [] });
    expect(await database.prisma.notification.count()).toBe(0);
    expect(await database.prisma.deadLetter.findMany()).toMatchObject([
      {
        queue: kind,
        jobId: id,
        reason: 'verification_failed',
        error: 'bad_signature',
        job: tampered(genuine).data,
      },
    ]);
    expect(await queue.send(genuine)).toBe(id);
    await completed(id);
    expect(await database.statusOf('A3')).toBe('paid');
  });

  test('a job for a channel that is not configured is kept as a dead letter', async () => {
    await start();
    const id = await queue.send(elsewhere(jobOf('A4')));
    await eventually(async () => (await queue.stateOf(id)) === 'unknown');
    expect(await database.prisma.deadLetter.findMany()).toMatchObject([
      { jobId: id, reason: 'unknown_channel' },
    ]);
  });

  test('two workers on one queue: every order is paid once, whichever applies it', async () => {
    const numbers = Array.from({ length: 40 }, (_, index) => `B${index}`);
    for (const number of numbers) await database.register(number);
    await Promise.all([start(), start()]);
    await Promise.all(
      numbers.flatMap((number) => {
        const job = shop.formerJobFor(shop.payment({ orderNumber: number }).body);
        const add = (copy: number) =>
          queue.inside.add('alipay', job, {
            ...notificationJobOptions,
            jobId: `${number}-copy-${copy}`,
          });
        return [add(1), add(2), add(3)];
      }),
    );
    await eventually(async () => (await queue.inside.getCompletedCount()) === 120);
    const orders = await database.prisma.order.findMany({ include: { facts: true } });
    expect(orders.map((order) => order.status)).toEqual(numbers.map(() => 'paid'));
    expect(orders.map((order) => order.facts.length)).toEqual(numbers.map(() => 1));
    expect(await database.prisma.orderEvent.count()).toBe(40);
    const copies = await database.prisma.notification.aggregate({ _sum: { copies: true } });
    expect(copies._sum.copies).toBe(80);
  });

  test('while the database is down jobs wait and the worker reports it; then they are applied', async () => {
    await database.register('C1');
    const worker = await start();
    await eventually(async () => (await worker.get('/readyz')).status === 200);
    await database.away(true);
    const id = await queue.send(jobOf('C1'));
    await eventually(async () => (await queue.stateOf(id)) === 'delayed');
    const answer = await worker.get('/readyz');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ ready: false, parts: { database: 'down' } });
    await database.away(false);
    await completed(id);
    expect(await database.statusOf('C1')).toBe('paid');
    expect(await database.prisma.deadLetter.count()).toBe(0);
  });

  test('stopping finishes the running batch', async () => {
    await database.register('D1');
    await database.register('D2');
    const worker = await start();
    // A concurrent insert cannot be skipped: a batch waits for it, for a moment.
    const insert = `INSERT INTO trades (rail, trade, order_id, created_at)
      SELECT 'alipay', 'TD1', id, now() FROM orders WHERE number = 'D2'`;
    const letGo = await holdLocks(database.url, insert);
    const id = await queue.send(jobOf('D1'));
    await eventually(() => isWaitingForALock(database));
    const stopping = worker.stop();
    await letGo();
    await stopping;
    expect(await queue.stateOf(id)).toBe('completed');
    expect(await database.statusOf('D1')).toBe('paid');
  });

  test('an event held for a missing order is released when the order was inserted by other means', async () => {
    const worker = await start({ releaseIntervalMs: 50 });
    await completed(await queue.send(jobOf('E1')));
    expect(await database.prisma.notificationEvent.findMany()).toMatchObject([
      { outcome: 'held', holdReason: 'unknown_order' },
    ]);
    await database.prisma.$executeRaw`INSERT INTO orders
      (merchant, number, amount, currency, created_at, updated_at)
      VALUES ('tea', 'E1', 8888, 'CNY', now(), now())`;
    await database.prisma.$executeRaw`UPDATE notification_events SET next_retry_at = now()`;
    await eventually(async () => (await database.statusOf('E1')) === 'paid');
    await eventually(async () =>
      (await (await worker.get('/metrics')).text()).includes(
        'payonce_events_released_total{process="worker"} 1',
      ),
    );
  });

  test('the metrics count events, dead letters and the jobs of the queue', async () => {
    await database.register('F1');
    const worker = await start();
    await completed(await queue.send(jobOf('F1')));
    await completed(await queue.send(jobOf('F2')));
    const id = await queue.send(elsewhere(jobOf('F3')));
    await eventually(async () => (await queue.stateOf(id)) === 'unknown');
    const text = await (await worker.get('/metrics')).text();
    const value = (line: string) =>
      text.split('\n').find((row) => line.split('|').every((part) => row.includes(part)));
    expect(value('payonce_events_total|outcome="applied"')).toMatch(/ 1$/);
    expect(value('payonce_events_total|outcome="held"|reason="unknown_order"')).toMatch(/ 1$/);
    expect(value('payonce_dead_letters_total|reason="unknown_channel"')).toMatch(/ 1$/);
    expect(value(`payonce_queue_jobs|queue="${kind}"|state="failed"`)).toMatch(/ 0$/);
    expect(await (await worker.get('/livez')).text()).toBe('ok\n');
  });
});

async function isWaitingForALock({ prisma }: TestDatabase): Promise<boolean> {
  const rows = await prisma.$queryRaw<unknown[]>`SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return rows.length > 0;
}
