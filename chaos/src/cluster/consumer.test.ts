import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Arrival } from '../history/history.js';
import { type Consumer, startConsumer } from './consumer.js';

const KEY = Buffer.alloc(32, 7);
const DATA = {
  merchant: 'demo',
  orderNumber: 'O1',
  milestone: 'paid',
  version: 2,
  paidAmount: '8888',
  refundedAmount: '0',
};
const BODY = JSON.stringify({ type: 'order.paid', data: DATA });

let consumer: Consumer;
let arrivals: Arrival[];
beforeEach(async () => {
  arrivals = [];
  consumer = await startConsumer((arrival) => arrivals.push(arrival));
  consumer.verifyWith(`whsec_${KEY.toString('base64')}`);
});
afterEach(() => consumer.close());

async function send(body = BODY, key = KEY, signal?: AbortSignal): Promise<Response> {
  const time = Math.floor(Date.now() / 1_000);
  const signature = createHmac('sha256', key).update(`evt_1.${time}.${BODY}`).digest('base64');
  const response = await fetch(`http://127.0.0.1:${consumer.port}/payonce`, {
    method: 'POST',
    headers: {
      'webhook-id': 'evt_1',
      'webhook-timestamp': String(time),
      'webhook-signature': `v1,${signature}`,
    },
    body,
    redirect: 'manual',
    ...(signal && { signal }),
  });
  await response.arrayBuffer();
  return response;
}

test('a signed request is taken, and recorded with its content', async () => {
  expect((await send()).status).toBe(204);
  const event = {
    type: 'order.paid',
    merchant: 'demo',
    orderNumber: 'O1',
    milestone: 'paid',
    version: 2,
    paid: 8_888n,
    refunded: 0n,
    replayed: false,
    body: BODY,
  };
  const at = expect.any(Number);
  expect(arrivals).toEqual([{ at, webhookId: 'evt_1', signed: true, event, answer: 204 }]);
  expect(consumer.taken).toBe(1);
});

test('an unsigned request is recorded as such, and not taken', async () => {
  expect((await send(`${BODY} `)).status).toBe(401);
  expect((await send(BODY, Buffer.alloc(32, 8))).status).toBe(401);
  expect(arrivals.map(({ signed, event }) => [signed, event])).toEqual([
    [false, null],
    [false, null],
  ]);
  expect(consumer.taken).toBe(0);
});

test('a refusal, a redirect and an unanswered request are recorded with their answers', async () => {
  for (const status of [503, 307]) {
    consumer.behave({ kind: 'fails', status: () => status });
    const response = await send();
    expect(response.status).toBe(status);
    expect(response.headers.get(status === 503 ? 'retry-after' : 'location')).not.toBeNull();
  }
  consumer.behave({ kind: 'hangs' });
  await expect(send(BODY, KEY, AbortSignal.timeout(300))).rejects.toThrow(/timeout/);
  expect(arrivals.map(({ answer }) => answer)).toEqual([503, 307, null]);
  expect(consumer.taken).toBe(0);
});

test('a slow request counts as taken when it is answered late', async () => {
  consumer.behave({ kind: 'slow', ms: () => 200 });
  const begun = performance.now();
  expect((await send()).status).toBe(204);
  expect(performance.now() - begun).toBeGreaterThan(190);
  expect(consumer.taken).toBe(1);
});
