import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { notificationOf, paid, receive } from './received.js';
import { type Stock, stockFor } from './stock.js';
import { logIn, startConsole, type TestConsole } from './support.js';

const MINUTE_MS = 60_000;
const START = Date.parse('2026-03-01T08:00:00Z');
const PROXY = '10.1.2.3';
const ACME = 'acme-*';
const ZORG = 'zorg-shop';
const REFRESH = { 'x-payonce-refresh': '1' };

let now = START;
let server: TestConsole;
let acme: Stock;
let zorg: Stock;
beforeAll(async () => {
  server = await startConsole({
    clock: () => new Date(now),
    identity: {
      ...{ header: 'x-user', role: 'operate', proxies: [PROXY] },
      merchants: { header: 'x-merchants' },
    },
  });
  acme = await stockFor(server, 'acme');
  zorg = await stockFor(server, 'zorg');
});
afterAll(() => server.close());
beforeEach(() => {
  now = START;
});

/** As a person sees it whom the proxy names, with these merchants. */
async function tokenOf(path: string, merchants = ACME): Promise<string> {
  const url = `${path === '/' ? '' : path}/change-token`;
  const headers = { 'x-user': 'lin', 'x-merchants': merchants };
  const answer = await server.app.inject({ url, headers, remoteAddress: PROXY });
  expect([url, answer.statusCode]).toEqual([url, 200]);
  return answer.body;
}

/** A page's path, and a change of what it shows. */
type Change = readonly [what: string, path: (of: Stock) => string, change: () => Promise<unknown>];
const orderPath = (of: Stock) => `/orders/${of.merchant}/${of.order}`;
const notificationPath = (of: Stock) => `/notifications/${of.held[0]}`;
const deliveryPath = (of: Stock) => `/deliveries/${of.delivery}`;

const deliveryId = () => ({ id: BigInt(acme.delivery) });
const inAcme = (orderNumber: string) => ({ merchant: acme.merchant, orderNumber });
const arrive = (number = acme.order) =>
  receive(
    server,
    notificationOf([paid(number, { amount: 5n })], { merchant: acme.merchant, channel: 'live' }),
  );
const audit = (about: object) =>
  server.prisma.auditLog.create({
    data: { actor: 'lin', action: 'event.retry', detail: {}, createdAt: new Date(), ...about },
  });
const heldEvent = () =>
  server.prisma.notificationEvent.findFirstOrThrow({
    where: { notificationRowId: BigInt(acme.held[0]) },
  });

const CHANGES: readonly Change[] = [
  ['an order that gets another status', orderPath, () => changeOrder()],
  ['an order with another notification', orderPath, () => arrive()],
  ['an order with further copies', orderPath, () => report(acme.notification)],
  ['an order whose delivery succeeded', orderPath, () => deliver('delivered')],
  ['an order that a person changed', orderPath, () => audit({ orderId: BigInt(acme.orderRow) })],
  ['a notification with further copies', notificationPath, () => report(acme.held[0])],
  [
    'a notification that a person retried',
    notificationPath,
    async () => audit({ notificationEventId: (await heldEvent()).id }),
  ],
  ['a notification whose hold is delivered', notificationPath, () => deliverHold()],
  ['a delivery that is parked', deliveryPath, () => deliver('parked')],
  ['a delivery that a person sends again', deliveryPath, () => deliver('pending')],
  ['a delivery with another attempt', deliveryPath, () => attempt()],
  ['the held events, of which there is another', () => '/held', () => arrive('NOBODY')],
  ['the held events, of which one is decided', () => '/held', () => decide()],
];

const changeOrder = () =>
  server.prisma.order.update({
    where: { id: BigInt(acme.orderRow) },
    data: { version: { increment: 1 } },
  });
const deliver = (state: 'delivered' | 'parked' | 'pending') =>
  server.prisma.delivery.update({
    where: deliveryId(),
    data: {
      ...{ state, parkedReason: state === 'parked' ? 'exhausted' : null },
      deliveredAt: state === 'delivered' ? new Date() : null,
    },
  });
async function deliverHold(): Promise<void> {
  const { id } = await server.prisma.orderEvent.findFirstOrThrow({
    where: { notificationEventId: (await heldEvent()).id },
  });
  const at = { nextAttemptAt: new Date(), createdAt: new Date() };
  await server.prisma.delivery.create({
    data: { endpointId: BigInt(acme.endpoint), orderEventId: id, ...at },
  });
}
const attempt = () =>
  server.prisma.deliveryAttempt.create({
    data: { deliveryId: deliveryId().id, at: new Date(), durationMs: 5, status: 500 },
  });
const decide = () =>
  server.prisma.notificationEvent.updateMany({
    where: inAcme('NOBODY'),
    data: { outcome: 'ignored', holdReason: null, nextRetryAt: null },
  });
async function report(id: string): Promise<void> {
  const { channel, notificationId, digest } = await server.prisma.notification.findUniqueOrThrow({
    where: { id: BigInt(id) },
  });
  const ids = { reportId: crypto.randomUUID(), gateway: crypto.randomUUID() };
  const times = { firstAt: new Date(), lastAt: new Date() };
  await server.prisma.reportedCopies.create({
    data: { ...ids, channel, notificationId, digest, count: 2, ...times },
  });
}

describe('the change token', () => {
  it.each(CHANGES)('changes for %s, and only then', async (_what, path, change) => {
    const tokens = async () => [await tokenOf(path(acme)), await tokenOf(path(zorg), ZORG)];
    const [before, other] = await tokens();
    expect([before, other]).not.toContain('');
    now += MINUTE_MS;
    expect(await tokens()).toEqual([before, other]);
    await change();
    const after = await tokens();
    expect(after[0]).not.toBe(before);
    expect(after[1]).toBe(other);
  });

  it('of the overview changes with the time, which its ages follow', async () => {
    const before = await tokenOf('/', '*');
    expect(await tokenOf('/', '*')).toBe(before);
    now += 1_000;
    expect(await tokenOf('/', '*')).not.toBe(before);
  });
});

describe('an open page', () => {
  it.each([
    ['its token', '/held/change-token'],
    ['its content', '/held'],
  ])('does not keep its session alive by asking for %s', async (_what, url) => {
    const cookies = await logIn(server);
    const ask = async () =>
      (await server.app.inject({ url, cookies, headers: REFRESH })).statusCode;
    for (let minute = 0; minute < 59; minute += 10) {
      now = START + minute * MINUTE_MS;
      expect(await ask()).toBe(200);
    }
    now = START + 60 * MINUTE_MS;
    expect(await ask()).toBe(401);
  });

  it('starts no session for a person whom a proxy names', async () => {
    const headers = { 'x-user': 'lin', 'x-merchants': '*' };
    const ask = (more: object) =>
      server.app.inject({ url: '/held', remoteAddress: PROXY, headers: { ...headers, ...more } });
    expect((await ask({})).statusCode).toBe(200);
    const asked = await ask(REFRESH);
    expect([asked.statusCode, asked.cookies]).toEqual([401, []]);
  });

  it('gets its content without the rest, and leaves the message for the next page', async () => {
    const cookies = await logIn(server);
    const page = await server.app.inject({ url: '/held', cookies });
    const formToken = /name="formToken" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    const retried = await server.app.inject({
      ...{ method: 'POST', url: `/held/${zorg.held[0]}/0/retry`, cookies },
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ formToken }).toString(),
    });
    expect(retried.statusCode).toBe(303);
    const content = await server.app.inject({ url: '/held', cookies, headers: REFRESH });
    expect(content.body).toContain('id="held" data-live');
    expect(content.body).not.toMatch(/<html|<nav|Evaluated again/);
    const next = await server.app.inject({ url: '/held', cookies });
    expect(next.body).toContain('Evaluated again');
  });
});
