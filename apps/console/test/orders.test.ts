import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logIn, startConsole, type TestConsole } from './support.js';

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

describe('the API', () => {
  const requests = [
    ['GET', '/v1/orders'],
    ['GET', '/v1/orders/A-1'],
    ['POST', '/v1/orders'],
    ['POST', '/v1/orders/A-1/close'],
    ['GET', '/v1/notifications'],
    ['GET', '/v1/notifications/1'],
    ['GET', '/v1/nothing-here'],
    ['GET', '/%761/orders'],
  ] as const;

  it.each(requests)('refuses %s %s without the key, or with another one', async (method, url) => {
    const wrong = [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${server.apiKey}x`,
      `Bearer ${server.apiKey.slice(1)}`,
      `Basic ${server.apiKey}`,
      server.apiKey,
      `Bearer ${'x'.repeat(5_000)}`,
    ];
    for (const authorization of wrong) {
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await server.app.inject({ method, url, headers });
      expect([authorization, answer.statusCode]).toEqual([authorization, 401]);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.headers['www-authenticate']).toContain('Bearer');
    }
  });

  it('does not accept a login of the pages as a key', async () => {
    const answer = await server.app.inject({ url: '/v1/orders', cookies: await logIn(server) });
    expect(answer.statusCode).toBe(401);
  });

  it('does not accept the key as a login of the pages', async () => {
    const headers = { authorization: `Bearer ${server.apiKey}` };
    for (const url of ['/', '/queues', '/queues/api/queues']) {
      expect((await server.app.inject({ url, headers })).statusCode).toBe(401);
    }
  });
});

describe('registering an order', () => {
  const order = { orderNumber: 'A-1001', amount: '8888' };

  it('is 201 the first time, 200 when repeated, 409 with other terms', async () => {
    const first = await api('POST', '/orders', order);
    expect(first.statusCode).toBe(201);
    expect(first.headers.location).toBe('/v1/orders/A-1001?merchant=default');
    expect(first.json()).toMatchObject({
      merchant: 'default',
      orderNumber: 'A-1001',
      amount: '8888',
      currency: 'CNY',
      status: 'pending',
      paidAmount: '0',
      refundedAmount: '0',
      primaryTrade: null,
      released: 0,
    });

    const again = await api('POST', '/orders', { ...order, merchant: 'default', currency: 'CNY' });
    expect(again.statusCode).toBe(200);
    expect(again.json()).toMatchObject({
      orderNumber: 'A-1001',
      createdAt: first.json().createdAt,
    });

    const other = await api('POST', '/orders', { ...order, amount: '8889' });
    expect(other.statusCode).toBe(409);
    expect(other.headers['content-type']).toContain('application/problem+json');
    expect(other.json()).toMatchObject({ status: 409, code: 'order_conflict' });
    expect((await api('GET', '/orders/A-1001')).json()).toMatchObject({ amount: '8888' });
  });

  it('gives one 201 to many who register the same at once', async () => {
    const many = Array.from({ length: 12 }, () =>
      api('POST', '/orders', { orderNumber: 'A-race', amount: '1' }),
    );
    const codes = (await Promise.all(many)).map(({ statusCode }) => statusCode);
    expect(codes.filter((code) => code === 201)).toHaveLength(1);
    expect(codes.filter((code) => code === 200)).toHaveLength(11);
  });

  it('lets two merchants have the same number', async () => {
    const shared = { orderNumber: 'A-shared', amount: '5' };
    expect((await api('POST', '/orders', { ...shared, merchant: 'one' })).statusCode).toBe(201);
    expect((await api('POST', '/orders', { ...shared, merchant: 'two' })).statusCode).toBe(201);
    expect((await api('GET', '/orders/A-shared')).statusCode).toBe(404);
    expect((await api('GET', '/orders/A-shared?merchant=two')).json().merchant).toBe('two');
  });

  it('keeps amounts exact beyond what a JSON number could hold', async () => {
    const amount = '99999999999999999';
    const answer = await api('POST', '/orders', { orderNumber: 'A-large', amount });
    expect([answer.statusCode, answer.json().amount]).toEqual([201, amount]);
  });

  it.each([
    ['amount', { orderNumber: 'B-1', amount: 8888 }],
    ['amount', { orderNumber: 'B-1', amount: '88.88' }],
    ['amount', { orderNumber: 'B-1', amount: '0' }],
    ['amount', { orderNumber: 'B-1' }],
    ['orderNumber', { orderNumber: '', amount: '1' }],
    ['orderNumber', { orderNumber: 'a b', amount: '1' }],
    ['currency', { orderNumber: 'B-1', amount: '1', currency: 'USD' }],
    ['merchant', { orderNumber: 'B-1', amount: '1', merchant: '' }],
    ['', { orderNumber: 'B-1', amount: '1', amuont: '2' }],
  ])('names the field at fault: %s in %j', async (field, payload) => {
    const answer = await api('POST', '/orders', payload);
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ code: 'invalid_request', errors: [{ field }] });
  });

  it('refuses what is no JSON, too large, or of another type, plainly', async () => {
    const headers = { authorization: `Bearer ${server.apiKey}` };
    const post = (type: string, payload: string) =>
      server.app.inject({
        method: 'POST',
        url: '/v1/orders',
        headers: { ...headers, 'content-type': type },
        payload,
      });
    expect((await post('application/json', '{')).statusCode).toBe(400);
    expect((await post('application/json', `"${'x'.repeat(300_000)}"`)).statusCode).toBe(413);
    expect((await post('text/plain', '{}')).statusCode).toBe(415);
    expect((await post('application/x-www-form-urlencoded', 'a=1')).statusCode).toBe(415);
  });
});

describe('closing an order', () => {
  it('closes a pending one; repeating gives the same result', async () => {
    await api('POST', '/orders', { orderNumber: 'C-1', amount: '100' });
    const closed = await api('POST', '/orders/C-1/close');
    expect([closed.statusCode, closed.json().status]).toEqual([200, 'closed']);
    const again = await api('POST', '/orders/C-1/close');
    expect(again.json()).toEqual(closed.json());
    const detail = (await api('GET', '/orders/C-1')).json();
    expect(detail.facts.map(({ key }: { key: string }) => key)).toEqual(['closed:merchant']);
    expect(detail.orderEvents).toMatchObject([{ type: 'order.closed' }]);
  });

  it('is 404 for an order that nobody registered', async () => {
    const answer = await api('POST', '/orders/C-unknown/close');
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'unknown_order']);
  });
});

describe('the list of orders', () => {
  beforeAll(async () => {
    for (let index = 1; index <= 7; index += 1) {
      const order = { merchant: 'lists', orderNumber: `L-${index}`, amount: String(index) };
      await api('POST', '/orders', order);
    }
    await api('POST', '/orders/L-3/close?merchant=lists');
  });

  const numbers = (answer: { json(): { orders: { orderNumber: string }[] } }) =>
    answer.json().orders.map(({ orderNumber }) => orderNumber);

  it('shows every order once, newest first, page by page', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    let pages = 0;
    while (cursor !== null) {
      const after: string = cursor && `&cursor=${cursor}`;
      const answer = await api('GET', `/orders?merchant=lists&limit=3${after}`);
      seen.push(...numbers(answer));
      cursor = answer.json().nextCursor;
      pages += 1;
    }
    expect(seen).toEqual(['L-7', 'L-6', 'L-5', 'L-4', 'L-3', 'L-2', 'L-1']);
    expect(pages).toBe(3);
  });

  it('filters by status, merchant and number', async () => {
    expect(numbers(await api('GET', '/orders?merchant=lists&status=closed'))).toEqual(['L-3']);
    expect(numbers(await api('GET', '/orders?orderNumber=L-5'))).toEqual(['L-5']);
    expect(numbers(await api('GET', '/orders?merchant=nobody'))).toEqual([]);
  });

  it('refuses a filter it does not know, and pages without bound', async () => {
    for (const query of ['state=paid', 'status=lost', 'limit=101', 'limit=0', 'cursor=abc']) {
      const answer = await api('GET', `/orders?${query}`);
      expect([query, answer.statusCode]).toEqual([query, 400]);
    }
  });

  it('is 404 for an unknown number and 400 for an impossible one', async () => {
    expect((await api('GET', '/orders/never-seen')).statusCode).toBe(404);
    expect((await api('GET', `/orders/${'x'.repeat(65)}`)).statusCode).toBe(400);
  });
});

describe('without its database', () => {
  it('the API answers 503 and asks for a retry, without internal details', async () => {
    const databaseUrl = 'postgresql://operator:not-to-be-seen@127.0.0.1:1/payonce';
    const cut = await startConsole({ databaseUrl });
    try {
      const headers = { authorization: `Bearer ${cut.apiKey}` };
      const payload = { orderNumber: 'A-1', amount: '1' };
      const answers = [
        await cut.app.inject({ url: '/v1/orders', headers }),
        await cut.app.inject({ method: 'POST', url: '/v1/orders', headers, payload }),
      ];
      for (const answer of answers) {
        expect([answer.statusCode, answer.json().code]).toEqual([503, 'database_unavailable']);
        expect(answer.headers['retry-after']).toBeDefined();
        expect(answer.body).not.toMatch(/127\.0\.0\.1|not-to-be-seen|prisma/i);
      }
    } finally {
      await cut.close();
    }
  });
});
