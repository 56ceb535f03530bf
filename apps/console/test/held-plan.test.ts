import { expect, it, onTestFinished } from 'vitest';
import { notificationOf, paid, receive } from './received.js';
import { call, makeKey, startConsole, type TestConsole } from './support.js';

const post = (server: TestConsole, path: string, payload: object, key?: string) =>
  call(server, 'POST', `/held-events/${path}`, { payload, ...(key && { key }) });

/**
 * Two that a retry applies, one that becomes a duplicate, one with another reason afterwards, three
 * that stay.
 */
async function start(): Promise<TestConsole> {
  const server = await startConsole();
  onTestFinished(() => server.close());
  await receive(
    server,
    notificationOf([paid('P-1')]),
    notificationOf([paid('P-2')]),
    notificationOf([paid('P-2')]),
    notificationOf([paid('P-3', { amount: 1n })]),
    notificationOf([paid('P-4')]),
    notificationOf([paid('P-5', { payeeMatches: false })], { channel: 'other' }),
    notificationOf([{ kind: 'unsupported', orderNumber: 'P-1', says: 'X' }]),
  );
  await server.prisma.$executeRaw`
    INSERT INTO orders (merchant, number, amount, currency, created_at, updated_at)
    SELECT 'default', 'P-' || n, 8888, 'CNY', now(), now() FROM generate_series(1, 3) AS n`;
  return server;
}

it('a plan shows the results for many held events, and changes nothing', async () => {
  const server = await start();
  const before = (await call(server, 'GET', '/held-events')).json();
  const plan = (await post(server, 'plan', { action: 'retry' })).json();
  expect(plan.summary).toEqual({
    ...{ events: 7, more: false, unchanged: 3 },
    ...{ applied: 2, duplicate: 1, ignored: 0, heldOtherwise: 1 },
  });
  expect(plan.items[3]).toMatchObject({
    ...{ orderNumber: 'P-3', holdReason: 'unknown_order' },
    ...{ result: 'held', reason: 'amount_mismatch', changes: true },
  });
  expect((await call(server, 'GET', '/held-events')).json()).toEqual(before);
  expect(await server.prisma.auditLog.count()).toBe(0);
  expect((await post(server, 'plan', { action: 'retry' })).json()).toEqual(plan);
});

it('it is executed as planned; events without a change are left alone', async () => {
  const server = await start();
  const asked = { action: 'retry' };
  const { plan, ...foreseen } = (await post(server, 'plan', asked)).json();
  const done = await post(server, 'execute', { ...asked, plan, operator: 'lin' });
  expect([done.statusCode, done.json()]).toEqual([200, foreseen]);
  expect((await call(server, 'GET', '/orders/P-1')).json()).toMatchObject({
    status: 'paid',
    audit: [{ action: 'event.retry', operator: 'lin' }],
  });
  expect(await server.prisma.auditLog.count()).toBe(4);
});

it('it is not executed after any change since the plan, nor for another action', async () => {
  const server = await start();
  const asked = { action: 'retry', filter: { reason: 'unknown_order' } };
  const { plan } = (await post(server, 'plan', asked)).json();
  const others = [
    { ...asked, filter: {}, plan },
    { ...asked, max: 1, plan },
    { ...asked, action: 'reject', reason: 'x', plan },
    { ...asked, plan: '0'.repeat(64) },
  ];
  await call(server, 'POST', '/orders', { payload: { orderNumber: 'P-4', amount: '8888' } });
  for (const other of [...others, { ...asked, plan }]) {
    const answer = await post(server, 'execute', other);
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'plan_changed']);
  }
  expect(await server.prisma.auditLog.count()).toBe(0);
});

it('it takes the matching events, the oldest first, and says when there are more', async () => {
  const server = await start();
  const numbers = async (payload: object) => {
    const { items, summary } = (
      await post(server, 'plan', { action: 'reject', ...payload })
    ).json();
    return [items.map((one: { orderNumber: string }) => one.orderNumber), summary.more];
  };
  expect(await numbers({ max: 2 })).toEqual([['P-1', 'P-2'], true]);
  expect(await numbers({ filter: { channel: 'other' } })).toEqual([['P-5'], false]);
  expect(await numbers({ filter: { reason: 'unsupported_event' } })).toEqual([['P-1'], false]);
  expect(await numbers({ filter: { to: '2020-01-01T00:00:00Z' } })).toEqual([[], false]);
});

it('it accepts and rejects only with a reason, and with a key that may operate', async () => {
  const server = await start();
  const asked = { action: 'reject', filter: { reason: 'merchant_mismatch' } };
  const { plan } = (await post(server, 'plan', asked)).json();
  const silent = await post(server, 'execute', { ...asked, plan });
  expect([silent.statusCode, silent.json().errors]).toMatchObject([400, [{ field: 'reason' }]]);
  const reader = await makeKey(server, 'reader', 'read');
  for (const path of ['plan', 'execute']) {
    expect((await post(server, path, { ...asked, plan, reason: 'x' }, reader)).statusCode).toBe(
      403,
    );
  }
  const done = (await post(server, 'execute', { ...asked, plan, reason: 'not ours' })).json();
  expect(done.items).toMatchObject([{ orderNumber: 'P-5', result: 'ignored', changes: true }]);
  expect((await post(server, 'plan', { ...asked, max: 1_001 })).statusCode).toBe(400);
});
