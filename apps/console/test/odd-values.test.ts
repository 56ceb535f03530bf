import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, logIn, startConsole, type TestConsole } from './support.js';

let server: TestConsole;
beforeAll(async () => {
  server = await startConsole();
});
afterAll(() => server.close());

/** Values that PostgreSQL's text cannot hold, and values that would be stored differently. */
const UNSTORABLE = ['\0', 'a\u0000', '\ud800'];

describe('a value that the database could not store is a fault of the request, and not of payonce', () => {
  it.each([
    '/orders?merchant=',
    '/orders?trade=',
    '/orders/A-1?merchant=',
    '/orders/A-1/timeline?merchant=',
    '/notifications?merchant=',
    '/notifications?channel=',
    '/notifications?notificationId=',
    '/held-events?merchant=',
    '/held-events?channel=',
    '/deliveries?merchant=',
    '/endpoints?merchant=',
    '/events?merchant=',
    '/audit?actor=',
    '/audit?orderNumber=A-1&merchant=',
  ])('in %s', async (path) => {
    const answer = await call(server, 'GET', `${path}%00`);
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_request']);
  });

  it.each(UNSTORABLE)('as %j in a body', async (text) => {
    const order = { merchant: text, orderNumber: 'A-1', amount: '1' };
    const requests = [
      ['/orders', order],
      ['/orders', { orders: [order] }],
      ['/endpoints', { merchant: text, name: 'erp', url: 'https://shop.example/' }],
      ['/endpoints', { name: 'erp', url: `https://shop.example/${text}` }],
      ['/held-events/plan', { action: 'retry', filter: { merchant: text } }],
      ['/held-events/plan', { action: 'retry', filter: { channel: text } }],
    ] as const;
    for (const [path, payload] of requests) {
      const { statusCode } = await call(server, 'POST', path, { payload });
      expect([path, statusCode]).toEqual([path, 400]);
    }
    expect(await server.prisma.order.count()).toBe(0);
  });

  it.each([
    '/orders?createdFrom=',
    '/notifications?receivedTo=',
    '/held-events?from=',
    '/events?to=',
    '/audit?from=',
  ])('as a time before the calendar began, in %s', async (path) => {
    const before = await call(server, 'GET', `${path}0000-12-31T23:59:59Z`);
    expect([before.statusCode, before.json().code]).toEqual([400, 'invalid_request']);
    expect((await call(server, 'GET', `${path}0001-01-01T00:00:00Z`)).statusCode).toBe(200);
  });

  it('in the address of a page', async () => {
    const headers = { accept: 'text/html' };
    const cookies = await logIn(server);
    const page = await server.app.inject({ url: '/orders/%00/A-1', headers, cookies });
    expect(page.statusCode).toBe(400);
  });
});
