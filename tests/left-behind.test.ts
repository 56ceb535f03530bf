import { createHash } from 'node:crypto';
import { openBullQueue } from '@payonce/core/queue/bull-queue';
import type { NotificationJob } from '@payonce/core/queue/job';
import { readQueueSettings } from '@payonce/core/queue/queue-settings';
import { queuesOf } from '@payonce/core/queue/shards';
import { systemClock } from '@payonce/core/runtime/clock';
import { recordDeadLetter } from '@payonce/orders/notifications/dead-letters/dead-letters';
import { until } from '@payonce/testkit/machine/poll';
import { alipayFields } from '@payonce/testkit/signers/alipay-wire';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { gluedCut } from './glued-cut.js';
import { addWorker, closeShop, DUE, openShop, type Shop } from './shop.js';
import { silent } from './silent.js';

/**
 * Data of the previous release in queue and database, as recorded there, and a worker that finds
 * it.
 */

const RECEIVED_AT = '2026-11-01T02:00:05.000Z';
const NOT_CONTENT = new Set(['sign', 'sign_type', 'notify_time', 'utc_timestamp']);

/** Its digest of an Alipay notice: over the received fields, each with its lengths. */
function formerDigest(request: SignedRequest): string {
  const told = alipayFields(request).filter(
    ([name, value]) => value !== '' && !NOT_CONTENT.has(name),
  );
  const text = told
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name.length}:${Buffer.byteLength(value)}:${name}${value}`);
  return createHash('sha256').update(text.join('')).digest('hex');
}

describe('a worker after the previous release', () => {
  let shop: Shop;
  beforeEach(async () => {
    shop = await openShop('redis', { worker: false });
  });
  afterEach(() => closeShop(shop));

  const database = () => ({ prisma: shop.prisma, log: silent, clock: systemClock });
  const paymentOf = (orderNumber: string) =>
    shop.signers['sim-alipay'].payment({
      ...{ orderNumber, trade: `T${orderNumber}`, amount: DUE, paidAt: new Date(RECEIVED_AT) },
    });
  const idOf = (request: SignedRequest) => new Map(alipayFields(request)).get('notify_id') ?? '';
  const startWorker = () => addWorker(shop, 'redis', { PAYONCE_WORKER_RELEASE_INTERVAL_MS: '100' });
  const allPaid = (count: number) =>
    until('the orders to be paid', 15_000, async () => {
      return (await shop.prisma.order.count({ where: { status: 'paid' } })) === count;
    });

  /** A job of version 2, or of version 1 with its whole digest. */
  function formerJob(version: 1 | 2, request: SignedRequest) {
    const [notificationId, digest] = [idOf(request), formerDigest(request)];
    const data = {
      ...{ version, provider: 'alipay', channel: 'sim-alipay', notificationId },
      ...{ receivedAt: RECEIVED_AT, bodyText: request.body.toString(), headers: {} },
      ...(version === 1 && { digest }),
    };
    return { id: `alipay.sim-alipay.${notificationId}.${digest.slice(0, 8)}`, data };
  }

  /** A notification with one event, as a worker of the previous release stored it. */
  async function storeFormer(
    request: SignedRequest,
    {
      event,
      outcome,
      reason,
      variant = '',
    }: {
      event: unknown;
      outcome: 'applied' | 'held';
      reason: string | null;
      variant?: string;
    },
  ): Promise<void> {
    const number = new Map(alipayFields(request)).get('out_trade_no') ?? '';
    await shop.prisma.$executeRaw`
      WITH n AS (
        INSERT INTO notifications (provider, channel, merchant, notification_id, variant, digest,
          authenticity, received_at, body, headers, status, created_at)
        VALUES ('alipay', 'sim-alipay', 'demo', ${idOf(request)}, ${variant},
          ${formerDigest(request)}, 'signed', ${new Date(RECEIVED_AT)},
          decode(${request.body.toString('base64')}, 'base64'), '{}', ${outcome}, now())
        RETURNING id)
      INSERT INTO notification_events (notification_row_id, position, merchant, order_number, event,
        outcome, hold_reason, created_at, decided_at)
      SELECT id, 0, 'demo', ${number}, ${JSON.stringify(event)}::json, ${outcome}, ${reason},
        now(), now() FROM n`;
  }
  const formerPayment = (orderNumber: string) => ({
    ...{ kind: 'order', rail: 'alipay', orderNumber, trade: `T${orderNumber}`, amount: '8888' },
    ...{ currency: 'CNY', payeeMatches: true, signed: true },
    facts: [
      { kind: 'paid', rail: 'alipay', trade: `T${orderNumber}`, amount: '8888', at: RECEIVED_AT },
    ],
  });
  const outcomes = async () =>
    (await shop.prisma.notificationEvent.findMany({ orderBy: { id: 'asc' } })).map(
      ({ outcome, holdReason }) => holdReason ?? outcome,
    );

  test('applies jobs of versions 1 and 2 from the queue, and re-sends of them are copies', async () => {
    const [one, two, cut] = [paymentOf('V1'), paymentOf('V2'), paymentOf('V3')];
    for (const number of ['V1', 'V2', 'V3']) await shop.register(number);
    const env = {
      REDIS_URL: String(shop.servers.redis.REDIS_URL),
      PAYONCE_QUEUE_PREFIX: shop.role,
    };
    const [settings] = queuesOf(readQueueSettings(env));
    const queue = openBullQueue(settings);
    for (const { id, data } of [
      formerJob(1, one),
      formerJob(2, two),
      formerJob(2, gluedCut(cut, 'seller_id')),
      formerJob(2, cut),
    ]) {
      await queue.add('notification', data as unknown as NotificationJob, { jobId: id });
    }
    await queue.close();
    await startWorker();
    await allPaid(3);
    for (const notice of [one, two, cut]) {
      expect((await shop.post('sim-alipay', notice)).status).toBe(200);
    }
    await until('the re-sends to be counted', 10_000, async () => {
      const copies = await shop.prisma.notification.aggregate({ _sum: { copies: true } });
      return copies._sum.copies === 4;
    });
    expect(await outcomes()).toEqual(['applied', 'applied', 'applied']);
    expect(await shop.prisma.deadLetter.count()).toBe(0);
  });

  test('re-sends of stored notifications are copies of its rows', async () => {
    const notice = paymentOf('A1');
    await storeFormer(notice, { event: formerPayment('A1'), outcome: 'applied', reason: null });
    await startWorker();
    await shop.post('sim-alipay', notice);
    await until('the copy to be counted', 10_000, async () => {
      return (await shop.prisma.notification.findFirst())?.copies === 1;
    });
    expect(await outcomes()).toEqual(['applied']);
  });

  test('takes over its held events: cuts that it could not read, and conflicts of equal contents', async () => {
    for (const number of ['A1', 'A2']) await shop.register(number);
    const [first, second] = [paymentOf('A1'), paymentOf('A2')];
    // A cut of the message came first, and the message itself became the conflict; and vice versa.
    const ambiguous = { kind: 'unsupported', orderNumber: null, says: 'ambiguous' };
    const held = { outcome: 'held', event: ambiguous } as const;
    await storeFormer(gluedCut(first, 'notify_type'), { ...held, reason: 'unsupported_event' });
    await storeFormer(first, {
      ...{ outcome: 'held', event: formerPayment('A1'), reason: 'id_conflict' },
      variant: formerDigest(first),
    });
    await storeFormer(second, { ...held, reason: 'unsupported_event' });
    const cut = gluedCut(second, 'seller_id');
    await storeFormer(cut, { ...held, reason: 'id_conflict', variant: formerDigest(cut) });
    await startWorker();
    await allPaid(2);
    await until(
      'all to be settled',
      10_000,
      async () => !(await outcomes()).includes('id_conflict'),
    );
    expect((await outcomes()).sort()).toEqual(['applied', 'applied', 'duplicate', 'duplicate']);
    expect(await shop.prisma.orderEvent.count({ where: { type: 'order.paid' } })).toBe(2);
  });

  test('applies dead letters of a newer gateway that it could not read, without a request', async () => {
    await shop.register('A1');
    await shop.register('A2');
    const former = formerJob(2, paymentOf('A1'));
    const later = paymentOf('A2');
    expect((await shop.post('sim-alipay', later)).status).toBe(200);
    const env = {
      REDIS_URL: String(shop.servers.redis.REDIS_URL),
      PAYONCE_QUEUE_PREFIX: shop.role,
    };
    const queue = openBullQueue(queuesOf(readQueueSettings(env))[0]);
    const [job] = await queue.getJobs(['waiting']);
    expect(job?.data).toMatchObject({ version: 3 });
    const letter = { queue: 'redis', job: job?.data, jobId: job?.id ?? '' };
    await recordDeadLetter(database(), { ...letter, reason: 'malformed_job' });
    await recordDeadLetter(database(), {
      ...{ queue: 'redis', job: former.data, jobId: former.id },
      reason: 'unknown_channel',
    });
    await queue.obliterate({ force: true });
    await queue.close();
    await startWorker();
    await allPaid(1);
    const left = () => shop.prisma.deadLetter.findMany({ where: { redrivenAt: null } });
    await until('the letter to be settled', 10_000, async () => (await left()).length === 1);
    expect(await left()).toMatchObject([{ reason: 'unknown_channel' }]);
    expect(await shop.prisma.auditLog.findMany()).toMatchObject([
      { actor: 'system', action: 'dead_letter.redrive' },
    ]);
  });
});
