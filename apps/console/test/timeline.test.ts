import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Timeline, TimelineEntry } from '../src/schemas/timeline.js';
import { notificationOf, paid, receive } from './received.js';
import { startConsole, type TestConsole } from './support.js';

let server: TestConsole;
beforeAll(async () => {
  server = await startConsole();
});
afterAll(() => server.close());

function api(method: 'GET' | 'POST', url: string, payload?: object) {
  return server.app.inject({
    method,
    url: `/v1${url}`,
    headers: { authorization: `Bearer ${server.apiKey}` },
    ...(payload && { payload }),
  });
}

async function timeline(url: string): Promise<Timeline> {
  const answer = await api('GET', `${url}/timeline`);
  expect(answer.statusCode).toBe(200);
  return answer.json();
}

const register = (orderNumber: string) => api('POST', '/orders', { orderNumber, amount: '8888' });

/** One line for each entry: its information for a reader. */
function told(entry: TimelineEntry): string {
  switch (entry.kind) {
    case 'registered':
      return `registered ${entry.amount}`;
    case 'copies':
      return `copies ${entry.source} ${entry.count}`;
    case 'reply':
      return `reply ${entry.status} ${entry.body}`;
    case 'decision':
      return `decision ${entry.outcome} ${entry.holdReason}`;
    case 'fact':
      return `fact ${entry.fact.kind} ${entry.fact.amount}`;
    case 'order_event':
      return `order_event ${entry.type} ${entry.milestone}`;
    case 'delivery':
      return `delivery ${entry.endpoint} ${entry.attempt?.status} ${entry.state}`;
    case 'operator':
      return `operator ${entry.audit.action}`;
  }
}

/** A gateway's report of copies: `count`, between these two times. */
const report = (notification: bigint, gateway: string, count: number, first: Date, last: Date) =>
  server.prisma.$executeRaw`INSERT INTO reported_copies
    (report_id, channel, notification_id, digest, gateway, count, first_at, last_at)
    SELECT ${randomUUID()}::uuid, channel, notification_id, digest, ${gateway}::uuid, ${count},
      ${first}, ${last} FROM notifications WHERE id = ${notification}`;

/** Tries of one order event's delivery to an endpoint, one second apart, with the final state. */
async function deliver(number: string, statuses: readonly (number | null)[], state: string) {
  const { prisma } = server;
  const now = new Date();
  const endpoint = await prisma.webhookEndpoint.create({
    data: {
      ...{ merchant: 'default', name: `to-${number.toLowerCase()}`, url: 'https://shop.example/' },
      ...{ source: 'api', secret: Buffer.from('sealed'), createdAt: now, updatedAt: now },
    },
  });
  const event = await prisma.orderEvent.findFirstOrThrow({ where: { order: { number } } });
  const delivery = await prisma.delivery.create({
    data: {
      endpointId: endpoint.id,
      orderEventId: event.id,
      orderId: event.orderId,
      state,
      parkedReason: state === 'parked' ? 'exhausted' : null,
      attempts: statuses.length,
      nextAttemptAt: now,
      deliveredAt: state === 'delivered' ? now : null,
      createdAt: event.createdAt,
    },
  });
  for (const [index, status] of statuses.entries()) {
    const at = new Date(event.createdAt.getTime() + 1_000 * (index + 1));
    const error = status === null ? 'connection refused' : null;
    const data = { deliveryId: delivery.id, at, durationMs: 12, status, error };
    await prisma.deliveryAttempt.create({ data });
  }
  return delivery;
}

describe('the timeline of an order', () => {
  it('shows a whole history in order: copies, hold, accept, delivery; and sums it up', async () => {
    await register('S-1');
    const receivedAt = new Date(Date.now() - 60_000);
    const after = (ms: number) => new Date(receivedAt.getTime() + ms);
    const cheap = notificationOf([paid('S-1', { amount: 1n })], { receivedAt });
    const [id = 0n] = await receive(server, cheap, cheap);
    const gateway = randomUUID();
    await report(id, gateway, 3, receivedAt, after(900));
    await report(id, randomUUID(), 6, after(5_000), after(5_500));
    const accept = `/notifications/${id}/events/0/accept`;
    await api('POST', accept, { operator: 'lin', reason: 'seen on the statement' });
    await deliver('S-1', [null, 500, 200], 'delivered');

    const shown = await timeline('/orders/S-1');
    expect(shown.entries.map(told)).toEqual([
      'copies first 1',
      'reply 200 success',
      'copies gateway 2',
      'copies gateway 6',
      'registered 8888',
      'decision held amount_mismatch',
      'order_event notification.held amount_mismatch',
      'operator event.accept',
      'decision applied null',
      'fact operator 1',
      'order_event order.paid paid',
      'delivery to-s-1 null pending',
      'delivery to-s-1 500 pending',
      'delivery to-s-1 200 delivered',
    ]);
    expect(shown.notifications).toMatchObject([{ received: 9, applied: 1, status: 'applied' }]);
    expect(shown.truncated).toEqual([]);
    const view = { copies: 8, lastCopyAt: expect.stringMatching(/Z$/) };
    expect((await api('GET', `/notifications/${id}`)).json()).toMatchObject(view);
    const listed = (await api('GET', '/notifications?orderNumber=S-1')).json();
    expect(listed.notifications).toMatchObject([view]);
    expect(shown.entries.find(({ kind }) => kind === 'copies')).toMatchObject({
      ...{ gateway, bestEffort: false, at: receivedAt.toISOString() },
    });
    expect(shown.entries.filter(({ kind }) => kind === 'reply')).toMatchObject([
      { reported: true, contentType: 'text/plain' },
    ]);
  });

  it('counts copies at a worker when no gateway has reported, and marks uncertain entries', async () => {
    await register('S-2');
    const one = notificationOf([paid('S-2')], { provider: 'wechatpay' });
    await receive(server, one, one, one);
    const { entries, notifications } = await timeline('/orders/S-2');
    expect(entries.map(told).filter((line) => /copies|reply/.test(line))).toEqual([
      'copies first 1',
      'reply 204 ',
      'copies worker 2',
    ]);
    expect(entries.filter((one) => one.kind === 'reply')).toMatchObject([{ reported: false }]);
    expect(notifications).toMatchObject([{ received: 3, applied: 1 }]);
  });

  it('adds reports to what the previous release counted', async () => {
    const [id = 0n] = await receive(server, notificationOf([paid('S-7')]));
    await server.prisma.notification.update({ where: { id }, data: { acknowledged: 4 } });
    await report(id, randomUUID(), 3, new Date(), new Date());
    expect(await timeline(`/notifications/${id}`)).toMatchObject({
      notifications: [{ received: 7 }],
    });
  });

  it('shows that an event waited for its order, and a delivery that was rejected', async () => {
    await receive(server, notificationOf([paid('S-3')], { receivedAt: new Date(0) }));
    await register('S-3');
    await deliver('S-3', [503], 'parked');
    expect((await timeline('/orders/S-3')).entries.map(told)).toEqual([
      'copies first 1',
      'reply 200 success',
      'decision held unknown_order',
      'order_event notification.held unknown_order',
      'registered 8888',
      'decision applied null',
      'fact paid 8888',
      'order_event order.paid paid',
      'delivery to-s-3 503 parked',
    ]);
  });

  it('shows a pending delivery', async () => {
    await register('S-4');
    await receive(server, notificationOf([paid('S-4')]));
    await deliver('S-4', [], 'pending');
    expect((await timeline('/orders/S-4')).entries.at(-1)).toMatchObject({
      state: 'pending',
      attempt: null,
      nextAttemptAt: expect.stringMatching(/Z$/),
    });
  });

  it('is cut at its limits, and says so', async () => {
    await register('S-5');
    const order = await server.prisma.order.findFirstOrThrow({ where: { number: 'S-5' } });
    await server.prisma
      .$executeRaw`INSERT INTO audit_log (actor, action, order_id, detail, created_at)
      SELECT 'lin', 'order.close', ${order.id}, '{}', now() FROM generate_series(1, 201)`;
    const { entries, truncated } = await timeline('/orders/S-5');
    expect([entries.length, truncated]).toEqual([201, ['audit']]);
  });

  it('belongs to one merchant, and is 404 for an unknown order', async () => {
    await register('S-6');
    for (const url of ['/orders/S-6/timeline?merchant=other', '/orders/never/timeline']) {
      expect([url, (await api('GET', url)).statusCode]).toEqual([url, 404]);
    }
  });
});

describe('the timeline of a notification', () => {
  it('exists without an order, with all its events', async () => {
    const combined = notificationOf([paid('N-1'), paid('N-2')], { provider: 'wechatpay-v2' });
    const [id] = await receive(server, combined);
    const { entries, notifications } = await timeline(`/notifications/${id}`);
    expect(entries.map(told)).toEqual([
      'copies first 1',
      expect.stringMatching(/^reply 200 <xml><return_code><!\[CDATA\[SUCCESS]]>/),
      'decision held unknown_order',
      'decision held unknown_order',
      'order_event notification.held unknown_order',
      'order_event notification.held unknown_order',
    ]);
    expect(notifications).toMatchObject([{ received: 1, applied: 0, status: 'held' }]);
  });

  it('is 404 for an unknown one', async () => {
    const answer = await api('GET', '/notifications/999999/timeline');
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'unknown_notification']);
  });
});
