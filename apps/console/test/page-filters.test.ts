import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notificationOf, paid, receive } from './received.js';
import { call, logIn, startConsole, type TestConsole } from './support.js';

let server: TestConsole;
let cookies: Record<string, string>;
beforeAll(async () => {
  server = await startConsole();
  const now = new Date();
  for (const orderNumber of ['PAID-1', 'PAID-2', 'OPEN-1']) {
    await call(server, 'POST', '/orders', { payload: { orderNumber, amount: '8888' } });
  }
  await receive(
    server,
    notificationOf([paid('PAID-1')], { notificationId: 'first' }),
    notificationOf([paid('PAID-2'), paid('HELD-1')], { channel: 'two', notificationId: 'second' }),
    notificationOf([paid('HELD-2', { payeeMatches: false })], { notificationId: 'third' }),
  );
  await server.prisma.order.updateMany({
    where: { number: 'PAID-2' },
    data: { attention: ['paid_late'] },
  });
  for (const [name, number, state] of [
    ['erp', 'PAID-1', 'pending'],
    ['till', 'PAID-2', 'delivered'],
  ] as const) {
    const where = { order: { number } };
    const { id: orderEventId, orderId } = await server.prisma.orderEvent.findFirstOrThrow({
      where,
    });
    const { id: endpointId } = await server.prisma.webhookEndpoint.create({
      data: {
        ...{ merchant: 'default', name, url: 'https://shop.example/', source: 'api' },
        ...{ secret: Buffer.from('sealed'), createdAt: now, updatedAt: now },
      },
    });
    const deliveredAt = state === 'delivered' ? now : null;
    const times = { nextAttemptAt: now, createdAt: now, deliveredAt };
    await server.prisma.delivery.create({
      data: { ...{ orderEventId, endpointId, orderId, state, attempts: 1 }, ...times },
    });
  }
  cookies = await logIn(server);
});
afterAll(() => server.close());

/** The words that are in the table of a page. */
async function found(url: string, words: readonly string[]): Promise<string[]> {
  const { body, statusCode } = await server.app.inject({ url, cookies });
  expect([url, statusCode]).toEqual([url, 200]);
  const table = /<tbody.*<\/tbody>/s.exec(body)?.[0] ?? '';
  return words.filter((word) => table.includes(word));
}

const ORDERS = ['PAID-1', 'PAID-2', 'OPEN-1'];
const HELD = ['HELD-1', 'HELD-2'];
const NOTIFIED = ['PAID-1', 'PAID-2', 'HELD-1', 'HELD-2'];
const TOLD = ['PAID-1', 'PAID-2'];

describe('the filters of a page find what they name, and nothing else', () => {
  it.each([
    ['/orders', ORDERS, ORDERS],
    ['/orders?search=OPEN-1', ORDERS, ['OPEN-1']],
    ['/orders?search=T-PAID-1', ORDERS, ['PAID-1']],
    ['/orders?status=paid', ORDERS, TOLD],
    ['/orders?attention=only', ORDERS, ['PAID-2']],
    ['/orders?merchant=other', ORDERS, []],
    ['/held', HELD, HELD],
    ['/held?reason=merchant_mismatch', HELD, ['HELD-2']],
    ['/held?channel=two', HELD, ['HELD-1']],
    ['/held?order=HELD-2&merchant=default', HELD, ['HELD-2']],
    ['/notifications', NOTIFIED, NOTIFIED],
    // By the status of the whole: the second is held, since one of its events is.
    ['/notifications?outcome=applied', NOTIFIED, ['PAID-1']],
    ['/notifications?outcome=held', NOTIFIED, ['PAID-2', 'HELD-1', 'HELD-2']],
    ['/notifications?notification=first', NOTIFIED, ['PAID-1']],
    ['/notifications?order=HELD-2', NOTIFIED, ['HELD-2']],
    ['/deliveries', TOLD, TOLD],
    ['/deliveries?endpoint=till', TOLD, ['PAID-2']],
    ['/deliveries?state=pending', TOLD, ['PAID-1']],
    ['/deliveries?order=PAID-1&endpoint=till', TOLD, []],
  ] as const)('%s', async (url, words, expected) => {
    expect(await found(url, words)).toEqual(expected);
  });
});
