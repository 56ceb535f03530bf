import { systemClock } from '@payonce/core/runtime/clock';
import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import {
  recordDeadLetter,
  requestRedrive,
} from '@payonce/orders/notifications/dead-letters/dead-letters';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import { registerOrder } from '@payonce/orders/registration/register';
import { eventually } from '@payonce/testkit/machine/poll';
import { beforeEach, describe, expect, test } from 'vitest';
import { openTestQueue, silent, type TestQueue } from './queues.js';
import {
  openTestDatabase,
  startTestWorker,
  type TestDatabase,
  type TestWorker,
} from './running.js';
import { makeShop, tampered } from './shop.js';

const shop = makeShop();

/** Trade T, claimed for an order of this merchant, as a worker applies it. */
function paymentOf(merchant: string, orderNumber: string): VerifiedNotification {
  const at = systemClock();
  return {
    ...{ provider: 'alipay', channel: merchant, merchant, notificationId: orderNumber },
    ...{ digest: '0'.repeat(64), authenticity: 'signed', receivedAt: at, headers: {} },
    body: Buffer.from('a=b'),
    events: [
      {
        ...{
          kind: 'order',
          rail: 'alipay',
          orderNumber,
          trade: 'T',
          amount: 8888n,
          currency: 'CNY',
        },
        ...{ payeeMatches: true, signed: true },
        facts: [{ kind: 'paid', rail: 'alipay', trade: 'T', amount: 8888n, at }],
      },
    ],
  };
}

/** The worker's scheduled tasks, on real stores. */
describe('the running worker', () => {
  let queue: TestQueue;
  let database: TestDatabase;
  let worker: TestWorker | undefined;

  beforeEach(async () => {
    [queue, database] = await Promise.all([openTestQueue('redis'), openTestDatabase()]);
  });

  const start = async (limits: { heldDeadlineMs?: number; retentionMs?: number } = {}) => {
    worker = await startTestWorker({ queue, database, shop, releaseIntervalMs: 50, ...limits });
    return worker;
  };
  const metric = async (name: string) => {
    const text = await (await worker?.get('/metrics'))?.text();
    return text?.split('\n').find((line) => line.startsWith(`${name}{`));
  };

  test.each(['redis', 'postgres', 'a-queue-that-is-gone'])(
    'applies a dead letter of %s when an operator asks for it, and counts it no more',
    async (origin) => {
      const deps = { prisma: database.prisma, log: silent, clock: systemClock };
      await database.register('A1');
      const { id: jobId, data: job } = shop.jobFor(shop.payment({ orderNumber: 'A1' }).body);
      await recordDeadLetter(deps, { queue: origin, jobId, job, reason: 'unknown_channel' });
      await start();
      expect(await metric('payonce_dead_letters_open')).toMatch(/ 1$/);
      const { id: letter } = await database.prisma.deadLetter.findFirstOrThrow();
      await requestRedrive(deps, { actor: 'lin', reason: null, letter });
      await eventually(async () => (await database.statusOf('A1')) === 'paid');
      await eventually(
        async () => (await metric('payonce_dead_letters_open'))?.endsWith(' 0') ?? false,
      );
    },
  );

  test('flags both orders of a trade that two merchants claim', async () => {
    const { prisma } = database;
    const deps = { prisma, log: silent, clock: systemClock };
    await database.register('A1');
    const hostile = { merchant: 'hostile', number: 'H1', amount: 8888n, currency: 'CNY' };
    await registerOrder(deps, hostile);
    await start();
    for (const [merchant, orderNumber] of [
      ['hostile', 'H1'],
      ['tea', 'A1'],
    ] as const) {
      await applyNotifications(deps, [paymentOf(merchant, orderNumber)]);
    }
    await eventually(async () => {
      const where = { status: 'paid', attention: { has: 'contested_trade' } };
      return (await prisma.order.count({ where })) === 2;
    });
  });

  test('applies a dead letter of a worker from before version 2', async () => {
    const deps = { prisma: database.prisma, log: silent, clock: systemClock };
    await database.register('A1');
    const job = shop.formerJobFor(shop.payment({ orderNumber: 'A1' }).body);
    await recordDeadLetter(deps, { queue: 'redis', jobId: 'j', job, reason: 'unknown_channel' });
    const { id: letter } = await database.prisma.deadLetter.findFirstOrThrow();
    await requestRedrive(deps, { actor: 'lin', reason: null, letter });
    const { lines } = await start();
    await eventually(async () => (await database.statusOf('A1')) === 'paid');
    const redriven = () => lines.filter((line) => /"dead_letters?\.redriven"/.test(line));
    await eventually(() => Promise.resolve(redriven().length === 2));
    expect(redriven().map((line) => JSON.parse(line))).toMatchObject([
      { deadLetter: String(letter) },
      { looked: 1, redriven: 1 },
    ]);
  });

  test('verifies a dead letter again: one that was tampered with fails again, and is logged', async () => {
    const deps = { prisma: database.prisma, log: silent, clock: systemClock };
    await database.register('A1');
    const { id: jobId, data: job } = tampered(
      shop.jobFor(shop.payment({ orderNumber: 'A1' }).body),
    );
    await recordDeadLetter(deps, { queue: 'redis', jobId, job, reason: 'unknown_channel' });
    const { id: letter } = await database.prisma.deadLetter.findFirstOrThrow();
    await requestRedrive(deps, { actor: 'lin', reason: null, letter });
    const { lines } = await start();
    await eventually(async () => {
      const { deaths } = await database.prisma.deadLetter.findFirstOrThrow();
      return deaths === 2;
    });
    expect(await database.prisma.deadLetter.findFirstOrThrow()).toMatchObject({
      reason: 'verification_failed',
      error: 'bad_signature',
      redrivenAt: null,
    });
    expect(await database.statusOf('A1')).toBe('pending');
    expect(await metric('payonce_dead_letters_open')).toMatch(/ 1$/);
    expect(lines.filter((line) => line.includes('dead_letter.died_again'))).toHaveLength(1);
  });

  test('alerts once when an event has waited for its order too long, and shows how many have', async () => {
    const { lines } = await start({ heldDeadlineMs: 1 });
    await queue.send(shop.jobFor(shop.payment({ orderNumber: 'late' }).body));
    const alerts = () => lines.filter((line) => line.includes('held.overdue'));
    await eventually(() => Promise.resolve(alerts().length > 0));
    expect(JSON.parse(alerts()[0] ?? '')).toMatchObject({ level: 'warn', orderNumber: 'late' });
    expect(await metric('payonce_events_overdue')).toMatch(/ 1$/);
    expect(await metric('payonce_events_held')).toContain('reason="unknown_order"');
    await database.register('late');
    // At once, or by the schedule, if it had the event locked at that moment.
    await eventually(async () => (await database.statusOf('late')) === 'paid');
    expect(await metric('payonce_events_overdue')).toMatch(/ 0$/);
    expect(alerts()).toHaveLength(1);
  });

  test('erases the raw bytes of old decided and delivered notifications, and counts them', async () => {
    await database.register('A1');
    await start({ retentionMs: 1 });
    await queue.send(shop.jobFor(shop.payment({ orderNumber: 'A1' }).body));
    await queue.send(shop.jobFor(shop.payment({ orderNumber: 'unknown' }).body));
    const { notification } = database.prisma;
    await eventually(async () => (await notification.count()) === 2);
    const where = { purgedAt: { not: null } };
    await eventually(async () => (await notification.count({ where })) === 1);
    // Counted after the commit.
    await eventually(async () =>
      expect(await metric('payonce_purged_total')).toMatch(/what="notification".* 1$/),
    );
    const rows = await database.prisma.notification.findMany({ orderBy: { status: 'asc' } });
    expect(rows.map(({ status, body }) => [status, body.length > 0])).toEqual([
      ['applied', false],
      ['held', true],
    ]);
  });

  test('shows no number rather than zero while the database is down', async () => {
    await start();
    expect(await metric('payonce_dead_letters_open')).toMatch(/ 0$/);
    await database.away(true);
    expect(await metric('payonce_dead_letters_open')).toBeUndefined();
    expect(await metric('payonce_events_overdue')).toBeUndefined();
    expect(await metric('payonce_events_held')).toBeUndefined();
    await database.away(false);
    await eventually(async () => (await metric('payonce_dead_letters_open')) !== undefined);
  });
});
