import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notificationOf, paid, receive } from './received.js';
import { call, makeKey, startConsole, type TestConsole } from './support.js';

let server: TestConsole;
beforeAll(async () => {
  server = await startConsole();
});
afterAll(() => server.close());

const now = new Date();

async function endpoint(name: string, changes: object = {}): Promise<bigint> {
  const { id } = await server.prisma.webhookEndpoint.create({
    data: {
      ...{ merchant: 'default', name, url: 'https://shop.example/', source: 'api' },
      ...{ secret: Buffer.from('sealed'), createdAt: now, updatedAt: now, ...changes },
    },
  });
  return id;
}

/** The event of a newly paid order. @returns its ID */
async function paidEvent(number: string): Promise<bigint> {
  await call(server, 'POST', '/orders', { payload: { orderNumber: number, amount: '8888' } });
  await receive(server, notificationOf([paid(number)]));
  const event = await server.prisma.orderEvent.findFirstOrThrow({ where: { order: { number } } });
  return event.id;
}

const parked = (orderEventId: bigint, endpointId: bigint) =>
  server.prisma.delivery.create({
    data: {
      ...{ orderEventId, endpointId, state: 'parked', parkedReason: 'exhausted', attempts: 2 },
      ...{ nextAttemptAt: now, createdAt: now },
    },
  });

describe('order events', () => {
  it('are listed, newest first, by order, type, merchant and time; held ones too', async () => {
    const id = await paidEvent('E-1');
    await receive(server, notificationOf([paid('E-unknown')]));
    const found = async (query: string) =>
      (await call(server, 'GET', `/events?${query}`)).json().events;
    expect(await found('orderNumber=E-1')).toMatchObject([
      {
        ...{ id: String(id), type: 'order.paid', milestone: 'paid', version: 1 },
        ...{ merchant: 'default', orderNumber: 'E-1', notification: null },
      },
    ]);
    expect(await found('type=notification.held')).toMatchObject([
      { orderNumber: 'E-unknown', milestone: 'unknown_order', version: null },
    ]);
    expect(await found('merchant=other')).toEqual([]);
    expect(await found('to=2020-01-01T00:00:00Z')).toEqual([]);
    expect((await call(server, 'GET', '/events?type=order.lost')).statusCode).toBe(400);
  });

  it('show their payload, deliveries and attempts, with the answer as text', async () => {
    const [event, shop] = [await paidEvent('E-2'), await endpoint('e2')];
    const { id: deliveryId } = await parked(event, shop);
    const response = Buffer.from('<p>goodbye');
    const attempt = { deliveryId, at: now, durationMs: 7 };
    await server.prisma.deliveryAttempt.create({ data: { ...attempt, error: 'time-out' } });
    await server.prisma.deliveryAttempt.create({ data: { ...attempt, status: 500, response } });
    expect((await call(server, 'GET', `/events/${event}`)).json()).toMatchObject({
      payload: { orderNumber: 'E-2', status: 'paid', amount: '8888' },
      deliveries: [
        {
          ...{ id: String(deliveryId), endpoint: { name: 'e2' }, state: 'parked' },
          history: [
            { status: null, error: 'time-out', response: null },
            { status: 500, error: null, response: '<p>goodbye', durationMs: 7 },
          ],
        },
      ],
    });
    expect((await call(server, 'GET', '/events/99999')).json().code).toBe('unknown_order_event');
  });

  it('hide payers in the answer, except from an administrator', async () => {
    const [event, shop] = [await paidEvent('E-4'), await endpoint('e4')];
    const { id: deliveryId } = await parked(event, shop);
    const openid = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';
    const response = Buffer.from(`{"echo":"${openid}"}`);
    const attempt = { deliveryId, at: now, durationMs: 7, status: 500 };
    await server.prisma.deliveryAttempt.create({ data: { ...attempt, error: openid, response } });
    const key = await makeKey(server, 'support', 'operate');
    const shown = await call(server, 'GET', `/events/${event}`, { key });
    expect(shown.json().deliveries[0].history).toHaveLength(1);
    expect(shown.body).not.toContain(openid);
    const timeline = await call(server, 'GET', '/orders/E-4/timeline', { key });
    expect(timeline.body).toContain('"status":500');
    expect(timeline.body).not.toContain(openid);
    expect((await call(server, 'GET', `/events/${event}`)).body).toContain(openid);
  });

  it('are sent again, to one endpoint or to all that want them; the operator is on record', async () => {
    const [event, shop] = [await paidEvent('E-3'), await endpoint('e3')];
    const off = await endpoint('e3-off', { disabledAt: now, disabledReason: 'operator' });
    const redeliver = (payload: object) =>
      call(server, 'POST', `/events/${event}/redeliver`, { payload });
    const one = (await redeliver({ endpoint: String(shop), operator: 'lin' })).json();
    expect(one.deliveries).toHaveLength(1);
    const all = (await redeliver({})).json();
    expect(all.deliveries).toContain(one.deliveries[0]);
    expect((await redeliver({ endpoint: String(off) })).json().code).toBe('endpoint_disabled');
    expect((await redeliver({ endpoint: '99999' })).json().code).toBe('unknown_endpoint');
    const audit = (await call(server, 'GET', '/orders/E-3')).json().audit;
    expect(audit[0]).toMatchObject({ action: 'delivery.redeliver', operator: 'lin' });
  });
});

describe('deliveries', () => {
  it('are listed by state, endpoint and order', async () => {
    const [event, shop] = [await paidEvent('D-1'), await endpoint('d1')];
    const { id } = await parked(event, shop);
    const found = async (query: string) =>
      (await call(server, 'GET', `/deliveries?${query}`)).json().deliveries;
    for (const query of ['orderNumber=D-1', `endpoint=${shop}`, `state=parked&endpoint=${shop}`]) {
      expect(await found(query), query).toMatchObject([
        {
          ...{ id: String(id), orderNumber: 'D-1', type: 'order.paid', orderEvent: String(event) },
          ...{ state: 'parked', parkedReason: 'exhausted', nextAttemptAt: null },
        },
      ]);
    }
    expect(await found(`state=pending&endpoint=${shop}`)).toEqual([]);
  });

  it('are sent again, or rejected with a reason', async () => {
    const [event, shop] = [await paidEvent('D-2'), await endpoint('d2')];
    const { id } = await parked(event, shop);
    const ask = (verb: string, payload: object = {}, of: bigint = id) =>
      call(server, 'POST', `/deliveries/${of}/${verb}`, { payload });
    expect((await ask('redeliver')).json()).toMatchObject({ state: 'pending', attempts: 0 });
    expect((await ask('reject')).statusCode).toBe(400);
    expect((await ask('reject', { reason: 'told by telephone' })).json()).toMatchObject({
      ...{ state: 'parked', parkedReason: 'rejected' },
    });
    for (const verb of ['redeliver', 'reject']) {
      const answer = await ask(verb, { reason: 'x' }, 99_999n);
      expect([answer.statusCode, answer.json().code]).toEqual([404, 'unknown_delivery']);
    }
    const disabled = { disabledAt: now, disabledReason: 'operator' };
    await server.prisma.webhookEndpoint.update({ where: { id: shop }, data: disabled });
    expect((await ask('redeliver')).json().code).toBe('endpoint_disabled');
  });
});
