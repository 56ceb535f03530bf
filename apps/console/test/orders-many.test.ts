import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notificationOf, paid, receive } from './received.js';
import { call, startConsole, type TestConsole } from './support.js';

let server: TestConsole;
beforeAll(async () => {
  server = await startConsole();
});
afterAll(() => server.close());

const order = (orderNumber: string, changes: object = {}) => ({
  ...{ orderNumber, amount: '8888' },
  ...changes,
});
const registerAll = (orders: readonly object[]) =>
  call(server, 'POST', '/orders', { payload: { orders } });

describe('registering many orders at once', () => {
  it('takes 500, returns a result for each, and releases their held events', async () => {
    const numbers = Array.from({ length: 500 }, (_, index) => `M-${index}`);
    await receive(server, notificationOf([paid('M-7')]), notificationOf([paid('M-499')]));
    const answer = await registerAll(numbers.map((number) => order(number)));
    expect(answer.statusCode).toBe(200);
    const { results } = answer.json();
    expect(results).toHaveLength(500);
    expect(results.filter((one: { released: number }) => one.released > 0)).toMatchObject([
      { outcome: 'registered', released: 1, order: { orderNumber: 'M-7', status: 'paid' } },
      { outcome: 'registered', released: 1, order: { orderNumber: 'M-499', status: 'paid' } },
    ]);
  });

  it('answers with the order as the list shows it, paid by the events that were held for it', async () => {
    await receive(server, notificationOf([paid('L-1')]));
    const { results } = (await registerAll([order('L-1')])).json();
    const { orders } = (await call(server, 'GET', '/orders?orderNumber=L-1')).json();
    expect(results.map((one: { order: object }) => one.order)).toEqual(orders);
    const primaryTrade = { rail: 'alipay', trade: 'T-L-1' };
    expect(orders).toMatchObject([{ status: 'paid', primaryTrade }]);
  });

  it('distinguishes new orders, known ones, and numbers with other terms', async () => {
    await registerAll([order('N-1')]);
    const { results } = (
      await registerAll([order('N-1'), order('N-1', { amount: '1' }), order('N-2'), order('N-2')])
    ).json();
    expect(results).toMatchObject([
      { outcome: 'existing', order: { orderNumber: 'N-1', amount: '8888' } },
      { outcome: 'conflict', order: { orderNumber: 'N-1', amount: '8888' } },
      { outcome: 'registered', order: { orderNumber: 'N-2' } },
      { outcome: 'existing', order: { orderNumber: 'N-2' } },
    ]);
  });

  it.each([
    ['orders.1.amount', [order('O-1'), order('O-2', { amount: 88.88 })]],
    ['orders.0', [order('O-1', { amuont: '1' })]],
    ['orders', []],
    ['orders', Array.from({ length: 501 }, (_, index) => order(`O-${index}`))],
  ])('registers none when one is invalid, and names it: %s', async (field, orders) => {
    const answer = await registerAll(orders);
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_request']);
    expect(answer.json().errors).toMatchObject([{ field }]);
    expect((await call(server, 'GET', '/orders/O-1')).statusCode).toBe(404);
  });
});

describe('closing an order', () => {
  it('leaves an audit row when a person does it, and none when the shop does', async () => {
    await registerAll([order('C-1'), order('C-2')]);
    await call(server, 'POST', '/orders/C-1/close');
    const payload = { operator: 'lin', reason: 'the buyer changed his mind' };
    const closed = await call(server, 'POST', '/orders/C-2/close', { payload });
    expect(closed.json().status).toBe('closed');
    await call(server, 'POST', '/orders/C-2/close', { payload });
    const auditOf = async (number: string) =>
      (await call(server, 'GET', `/orders/${number}`)).json().audit;
    expect(await auditOf('C-1')).toEqual([]);
    expect(await auditOf('C-2')).toMatchObject([
      { action: 'order.close', operator: 'lin', reason: 'the buyer changed his mind' },
    ]);
  });
});

describe('searching orders', () => {
  const numbers = async (query: string) =>
    (await call(server, 'GET', `/orders?${query}`))
      .json()
      .orders.map((one: { orderNumber: string }) => one.orderNumber);

  it('by trade, on any rail', async () => {
    await registerAll([order('S-1'), order('S-2'), order('S-3')]);
    const trade = 'one-number';
    const fact = { kind: 'paid', rail: 'wechat', trade, amount: 8888n, at: new Date() } as const;
    await receive(
      server,
      notificationOf([paid('S-1', { trade })]),
      notificationOf([paid('S-2', { trade, rail: 'wechat', facts: [fact] })]),
    );
    expect(await numbers(`trade=${trade}`)).toEqual(['S-2', 'S-1']);
    const page = (await call(server, 'GET', `/orders?trade=${trade}&limit=1`)).json();
    expect(await numbers(`trade=${trade}&limit=1&cursor=${page.nextCursor}`)).toEqual(['S-1']);
    expect(await numbers('trade=another')).toEqual([]);
  });

  it('by what a person should look at', async () => {
    await registerAll([order('S-4'), order('S-5')]);
    await receive(
      server,
      notificationOf([paid('S-4', { trade: 'T-a' })]),
      notificationOf([paid('S-4', { trade: 'T-b' })]),
    );
    expect(await numbers('attention=any')).toEqual(['S-4']);
    expect(await numbers('attention=second_payment')).toEqual(['S-4']);
    expect(await numbers('attention=over_refund')).toEqual([]);
  });

  it('by when they were registered, both ends included', async () => {
    await registerAll([order('S-6', { merchant: 'times' })]);
    await server.prisma.order.updateMany({
      where: { merchant: 'times' },
      data: { createdAt: new Date('2026-01-02T00:00:00Z') },
    });
    const at = '2026-01-02T00:00:00.000Z';
    expect(await numbers(`merchant=times&createdFrom=${at}&createdTo=${at}`)).toEqual(['S-6']);
    expect(await numbers('merchant=times&createdFrom=2026-01-02T00:00:00.001Z')).toEqual([]);
    expect(await numbers('merchant=times&createdTo=2026-01-01T23:59:59.999Z')).toEqual([]);
  });
});
