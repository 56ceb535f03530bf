import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@payonce/core/runtime/clock';
import { recordDeadLetter } from '@payonce/orders/notifications/dead-letters/dead-letters';
import type { LightMyRequestResponse } from 'fastify';
import type { OpenAPIV3_1 } from 'openapi-types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Contract, readContract } from './contract.js';
import { notificationOf, paid, receive } from './received.js';
import { call, silent, startConsole, type TestConsole } from './support.js';

const CHANNELS = `channels:
  shop: { provider: alipay, appId: "2021", publicKeys: [{ env: KEY, retiredAt: 2026-12-01T00:00:00Z }] }
`;
let folder: string;
let server: TestConsole;
let document: OpenAPIV3_1.Document;
let contract: Contract;
const answered = new Set<string>();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'payonce-contract-'));
  const channelsFile = join(folder, 'channels.yaml');
  await writeFile(channelsFile, CHANNELS);
  server = await startConsole({ channelsFile });
  document = (await call(server, 'GET', '/openapi.json')).json();
  contract = readContract(document);
  await call(server, 'POST', '/orders', { payload: { orderNumber: 'A-1', amount: '8888' } });
  await receiveOne('A-1', 8888n, 'T-1');
  await receiveOne('A-1', 1n);
  await receiveOne('A-1', 2n);
  await receiveOne('A-2', 8888n);
  const now = new Date();
  await server.prisma.webhookEndpoint.create({
    data: {
      ...{ merchant: 'default', name: 'shop', url: 'https://shop.example/', source: 'api' },
      ...{ secret: Buffer.from('sealed'), createdAt: now, updatedAt: now },
    },
  });
  for (const jobId of ['one', 'two']) {
    const letter = { queue: 'redis', jobId, job: {}, reason: 'malformed_job' } as const;
    await recordDeadLetter({ prisma: server.prisma, log: silent, clock: systemClock }, letter);
  }
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** As a worker applies it. The rows of this database are numbered from 1. */
async function receiveOne(
  orderNumber: string,
  amount: bigint,
  trade = randomBytes(12).toString('hex'),
): Promise<void> {
  const body = Buffer.from(`out_trade_no=${orderNumber}&buyer_id=2088101106499364`);
  await receive(server, notificationOf([paid(orderNumber, { trade, amount })], { body }));
}

function judge(operation: string, answer: LightMyRequestResponse, status: number): void {
  expect([operation, answer.statusCode, answer.statusCode === status || answer.body]).toEqual([
    operation,
    status,
    true,
  ]);
  expect(contract.faultsOf(operation, answer), operation).toEqual([]);
  if (status < 300) answered.add(operation);
}

const order = { orderNumber: 'A-9', amount: '8888' };
const reason = { operator: 'lin', reason: 'seen on the statement' };

const TRADE = 'trades/alipay/T-1';

/** A plan without events, which is the same everywhere. */
const PLANNED = {
  ...{ action: 'retry', filter: { merchant: 'nobody' } },
  plan: createHash('sha256').update('["retry",false,[]]').digest('hex'),
};

/** In this order, on one database. Values from the called address replace `{…}`. */
const CALLS: [operation: string, path: string, status: number, payload?: object][] = [
  ['GET /v1/openapi.json', '/openapi.json', 200],
  ['POST /v1/orders', '/orders', 201, order],
  ['POST /v1/orders', '/orders', 200, order],
  ['POST /v1/orders', '/orders', 409, { ...order, amount: '1' }],
  ['POST /v1/orders', '/orders', 400, { ...order, amount: 1 }],
  ['POST /v1/orders', '/orders', 200, { orders: [order, { ...order, amount: '1' }] }],
  ['POST /v1/orders', '/orders', 400, { orders: [] }],
  ['GET /v1/orders', '/orders', 200],
  ['GET /v1/orders', '/orders?status=lost', 400],
  ['GET /v1/orders/{number}', '/orders/A-1', 200],
  ['GET /v1/orders/{number}', '/orders/A-0', 404],
  ['GET /v1/orders/{number}/timeline', '/orders/A-1/timeline', 200],
  ['POST /v1/orders/{number}/close', '/orders/A-9/close', 200],
  ['POST /v1/orders/{number}/close', '/orders/A-1/close', 409],
  ['POST /v1/orders/{number}/close', '/orders/A-0/close', 404],
  ['GET /v1/orders/{number}/trades/{rail}/{trade}/release', `/orders/A-1/${TRADE}/release`, 200],
  [
    'POST /v1/orders/{number}/trades/{rail}/{trade}/release',
    `/orders/A-1/${TRADE}/release`,
    200,
    reason,
  ],
  [
    'GET /v1/orders/{number}/trades/{rail}/{trade}/release',
    '/orders/A-1/trades/alipay/X/release',
    404,
  ],
  [
    'GET /v1/orders/{number}/trades/{rail}/{trade}/reinstate',
    `/orders/A-1/${TRADE}/reinstate`,
    200,
  ],
  [
    'POST /v1/orders/{number}/trades/{rail}/{trade}/reinstate',
    `/orders/A-1/${TRADE}/reinstate`,
    409,
    { ...reason, version: 0 },
  ],
  [
    'POST /v1/orders/{number}/trades/{rail}/{trade}/reinstate',
    `/orders/A-1/${TRADE}/reinstate`,
    200,
    reason,
  ],
  ['GET /v1/notifications', '/notifications', 200],
  ['GET /v1/notifications/{id}', '/notifications/1', 200],
  ['GET /v1/notifications/{id}', '/notifications/99', 404],
  ['GET /v1/notifications/{id}/timeline', '/notifications/1/timeline', 200],
  ['GET /v1/notifications/{id}/raw', '/notifications/1/raw', 200],
  ['GET /v1/notifications/{id}/raw', '/notifications/99/raw', 404],
  ['GET /v1/held-events', '/held-events', 200],
  ['POST /v1/held-events/plan', '/held-events/plan', 200, { action: 'retry' }],
  ['POST /v1/held-events/execute', '/held-events/execute', 409, { ...PLANNED, filter: {} }],
  ['POST /v1/held-events/execute', '/held-events/execute', 200, PLANNED],
  ['GET /v1/events', '/events', 200],
  ['GET /v1/events/{id}', '/events/1', 200],
  ['GET /v1/events/{id}', '/events/99', 404],
  ['POST /v1/events/{id}/redeliver', '/events/1/redeliver', 200, {}],
  ['POST /v1/events/{id}/redeliver', '/events/99/redeliver', 404, {}],
  ['GET /v1/deliveries', '/deliveries', 200],
  ['POST /v1/deliveries/{id}/reject', '/deliveries/1/reject', 200, reason],
  ['POST /v1/deliveries/{id}/redeliver', '/deliveries/1/redeliver', 200, {}],
  ['POST /v1/deliveries/{id}/redeliver', '/deliveries/99/redeliver', 404, {}],
  [
    'POST /v1/notifications/{id}/events/{position}/retry',
    '/notifications/4/events/0/retry',
    200,
    {},
  ],
  [
    'POST /v1/notifications/{id}/events/{position}/accept',
    '/notifications/2/events/0/accept',
    200,
    reason,
  ],
  [
    'POST /v1/notifications/{id}/events/{position}/accept',
    '/notifications/4/events/0/accept',
    422,
    reason,
  ],
  [
    'POST /v1/notifications/{id}/events/{position}/reject',
    '/notifications/3/events/0/reject',
    200,
    reason,
  ],
  [
    'POST /v1/notifications/{id}/events/{position}/reject',
    '/notifications/2/events/0/reject',
    409,
    reason,
  ],
  ['GET /v1/dead-letters', '/dead-letters', 200],
  ['GET /v1/dead-letters/{id}', '/dead-letters/1', 200],
  ['POST /v1/dead-letters/{id}/redrive', '/dead-letters/1/redrive', 200, {}],
  ['POST /v1/dead-letters/{id}/dismiss', '/dead-letters/2/dismiss', 200, reason],
  ['POST /v1/dead-letters/{id}/redrive', '/dead-letters/2/redrive', 409, {}],
  ['GET /v1/stats', '/stats', 200],
  ['GET /v1/audit', '/audit', 200],
  ['GET /v1/channels', '/channels', 200],
  ['POST /v1/endpoints', '/endpoints', 201, { name: 'erp', url: 'https://shop.example/' }],
  ['POST /v1/endpoints', '/endpoints', 400, { name: 'erp', url: 'http://shop.example/' }],
  ['POST /v1/endpoints', '/endpoints', 409, { name: 'erp', url: 'https://shop.example/' }],
  ['GET /v1/endpoints', '/endpoints', 200],
  ['GET /v1/endpoints/{id}', '/endpoints/1', 200],
  ['PATCH /v1/endpoints/{id}', '/endpoints/1', 200, { eventTypes: ['order.paid'] }],
  ['POST /v1/endpoints/{id}/rotate-secret', '/endpoints/1/rotate-secret', 200, {}],
  ['POST /v1/endpoints/{id}/disable', '/endpoints/1/disable', 200, {}],
  ['POST /v1/endpoints/{id}/enable', '/endpoints/1/enable', 200, {}],
  ['DELETE /v1/endpoints/{id}', '/endpoints/1', 204],
  ['DELETE /v1/endpoints/{id}', '/endpoints/1', 404],
  ['POST /v1/api-keys', '/api-keys', 201, { name: 'shop', role: 'read' }],
  ['POST /v1/api-keys', '/api-keys', 409, { name: 'shop', role: 'read' }],
  ['GET /v1/api-keys', '/api-keys', 200],
  ['POST /v1/api-keys/{id}/revoke', '/api-keys/1/revoke', 200, {}],
  ['POST /v1/api-keys/{id}/revoke', '/api-keys/9/revoke', 404, {}],
];

describe('an answer is as the description says', () => {
  it.each(CALLS)('%s: %s is %i', async (operation, path, status, payload) => {
    const [method] = operation.split(' ') as ['GET' | 'POST' | 'PATCH' | 'DELETE'];
    judge(operation, await call(server, method, path, payload && { payload }), status);
  });

  it('and so are the answers of the guard and the error handler', async () => {
    const orders = 'POST /v1/orders';
    const key = `payonce_${'x'.repeat(43)}`;
    judge(orders, await call(server, 'POST', '/orders', { key: null, payload: order }), 401);
    const shop = await call(server, 'POST', '/api-keys', {
      payload: { name: 'reader', role: 'read' },
    });
    judge(
      orders,
      await call(server, 'POST', '/orders', { key: shop.json().key, payload: order }),
      403,
    );
    const headers = { 'content-type': 'text/csv' };
    judge(orders, await call(server, 'POST', '/orders', { headers, payload: order }), 415);
    const large = { ...order, merchant: 'x'.repeat(300_000) };
    judge(orders, await call(server, 'POST', '/orders', { payload: large }), 413);
    const remoteAddress = '192.0.2.9';
    for (let n = 0; n < 20; n += 1) await call(server, 'GET', '/orders', { key, remoteAddress });
    judge('GET /v1/orders', await call(server, 'GET', '/orders', { remoteAddress }), 429);
    await server.prisma.$executeRaw`ALTER TABLE orders RENAME TO orders_away`;
    const away = await call(server, 'GET', '/orders');
    await server.prisma.$executeRaw`ALTER TABLE orders_away RENAME TO orders`;
    judge('GET /v1/orders', away, 503);
  });

  it('and every operation of the description is covered', () => {
    const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
      Object.keys(item ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect([...answered].sort()).toEqual(operations.sort());
  });

  it('and a wrong answer is found', async () => {
    const { body, ...answer } = await call(server, 'GET', '/orders');
    const judged = (json: unknown, statusCode = 200) =>
      contract.faultsOf('GET /v1/orders', {
        ...answer,
        statusCode,
        json: () => json,
      } as LightMyRequestResponse);
    const said = JSON.parse(body);
    expect(judged(said)).toEqual([]);
    expect(judged({ ...said, nextCursor: 7 })).not.toEqual([]);
    const [first, ...others] = said.orders;
    expect(judged({ ...said, orders: [{ ...first, amount: 8888 }, ...others] })).not.toEqual([]);
    expect(judged({ ...said, orders: [{ ...first, paidAt: 'yesterday' }] })).not.toEqual([]);
    expect(judged(said, 418)).not.toEqual([]);
  });
});
