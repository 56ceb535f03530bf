import { randomBytes } from 'node:crypto';
import { systemClock } from '@payonce/core/runtime/clock';
import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import type { PaymentEvent } from '@payonce/providers/event';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silent, startConsole, type TestConsole } from './support.js';

const OPENID = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';
const BUYER = '2088101106499364';
const LOGON_ID = '159****5620';
const SIGNATURE = randomBytes(256).toString('base64');
const SEALED = randomBytes(300).toString('base64');
const SECRETS = [OPENID, BUYER, LOGON_ID, SIGNATURE, SEALED, encodeURIComponent(SIGNATURE)];

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

let counter = 0;
function paid(orderNumber: string, amount: bigint): PaymentEvent {
  counter += 1;
  const trade = `20261123220014993610000${String(counter).padStart(4, '0')}`;
  return {
    kind: 'order',
    rail: 'alipay',
    orderNumber,
    trade,
    amount,
    currency: 'CNY',
    payeeMatches: true,
    signed: true,
    facts: [{ kind: 'paid', rail: 'alipay', trade, amount, at: new Date() }],
  };
}

/** As the worker applies it, with everything in body and headers that must stay hidden. */
function notification(
  events: readonly PaymentEvent[],
  from: Partial<VerifiedNotification> = {},
): VerifiedNotification {
  const number = events[0]?.orderNumber ?? '';
  const form = {
    out_trade_no: number,
    total_amount: '88.88',
    buyer_id: BUYER,
    buyer_logon_id: LOGON_ID,
    buyer_open_id: OPENID,
    sign: SIGNATURE,
  };
  return {
    provider: 'alipay',
    channel: 'shop-alipay',
    merchant: 'default',
    notificationId: randomBytes(16).toString('hex'),
    digest: randomBytes(32).toString('hex'),
    authenticity: 'signed',
    receivedAt: new Date(),
    body: Buffer.from(new URLSearchParams(form).toString()),
    headers: {},
    events,
    ...from,
  };
}

function wechatPay(events: readonly PaymentEvent[]): VerifiedNotification {
  const envelope = {
    id: 'EV-2018022511223320873',
    event_type: 'TRANSACTION.SUCCESS',
    payer: { openid: OPENID },
    resource: { algorithm: 'AEAD_AES_256_GCM', ciphertext: SEALED, nonce: 'fdasflkja484' },
  };
  return notification(events, {
    provider: 'wechatpay',
    channel: 'shop-wechat',
    body: Buffer.from(JSON.stringify(envelope)),
    headers: {
      'wechatpay-serial': 'PUB_KEY_ID_1',
      'wechatpay-signature': SIGNATURE,
      'wechatpay-nonce': 'fdasflkja484',
    },
  });
}

async function apply(...batch: VerifiedNotification[]): Promise<void> {
  await applyNotifications({ prisma: server.prisma, log: silent, clock: systemClock }, batch);
}

async function idsOf(query: string): Promise<string[]> {
  const answer = await api('GET', `/notifications?${query}`);
  expect([query, answer.statusCode]).toEqual([query, 200]);
  const { notifications } = answer.json() as { notifications: { notificationId: string }[] };
  return notifications.map(({ notificationId }) => notificationId);
}

describe('an order that is registered after it was paid', () => {
  it('counts as paid at once, and shows its whole history', async () => {
    const early = notification([paid('N-early', 8888n)]);
    await apply(early, early);
    expect(await idsOf('outcome=held&orderNumber=N-early')).toEqual([early.notificationId]);

    const registered = await api('POST', '/orders', { orderNumber: 'N-early', amount: '8888' });
    expect(registered.statusCode).toBe(201);
    expect(registered.json()).toMatchObject({ status: 'paid', paidAmount: '8888', released: 1 });

    const detail = (await api('GET', '/orders/N-early')).json();
    const [event] = early.events;
    expect(detail).toMatchObject({
      status: 'paid',
      primaryTrade: { rail: 'alipay' },
      facts: [{ kind: 'paid', amount: '8888', rail: 'alipay' }],
      trades: [{ rail: 'alipay' }],
      events: [{ outcome: 'applied', holdReason: null, event: { kind: 'order', amount: '8888' } }],
      orderEvents: [{ type: 'order.paid' }],
      truncated: [],
    });
    expect(event?.kind === 'order' && detail.trades[0].trade).toBe(
      event?.kind === 'order' && event.trade,
    );
    const shown = (await api('GET', `/notifications/${detail.events[0].notification}`)).json();
    expect(shown).toMatchObject({ notificationId: early.notificationId, copies: 1 });
  });

  it('can no longer be closed', async () => {
    const answer = await api('POST', '/orders/N-early/close');
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'already_paid']);
  });
});

describe('the list of notifications', () => {
  it('filters by outcome, reason, channel and order, all of one event', async () => {
    await api('POST', '/orders', { orderNumber: 'N-1', amount: '100' });
    await api('POST', '/orders', { orderNumber: 'N-2', amount: '100' });
    const good = notification([paid('N-1', 100n)], { channel: 'shop-filters' });
    const wrong = notification([paid('N-2', 99n)], { channel: 'shop-filters' });
    const both = notification([paid('N-2', 100n), paid('N-3', 5n)], { channel: 'shop-combined' });
    await apply(good, wrong, both);

    expect(await idsOf('channel=shop-filters&outcome=applied')).toEqual([good.notificationId]);
    expect(await idsOf('holdReason=amount_mismatch')).toEqual([wrong.notificationId]);
    expect(await idsOf('orderNumber=N-3')).toEqual([both.notificationId]);
    expect(await idsOf('orderNumber=N-3&outcome=applied')).toEqual([]);
    expect(await idsOf('orderNumber=N-2&outcome=applied')).toEqual([both.notificationId]);
    expect(await idsOf('merchant=nobody')).toEqual([]);
  });

  it('shows every notification once, newest first, page by page', async () => {
    const channel = 'shop-pages';
    const sent = Array.from({ length: 5 }, (_, index) =>
      notification([paid(`P-${index}`, 1n)], { channel }),
    );
    for (const one of sent) await apply(one);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const after: string = cursor && `&cursor=${cursor}`;
      const answer = await api('GET', `/notifications?channel=${channel}&limit=2${after}`);
      expect(answer.json().notifications.length).toBeLessThanOrEqual(2);
      seen.push(
        ...answer.json().notifications.map((one: VerifiedNotification) => one.notificationId),
      );
      cursor = answer.json().nextCursor;
    }
    expect(seen).toEqual(sent.map(({ notificationId }) => notificationId).reverse());
  });

  it('refuses filters it does not know', async () => {
    for (const query of ['outcome=lost', 'holdReason=because', 'status=held', 'limit=500']) {
      expect((await api('GET', `/notifications?${query}`)).statusCode).toBe(400);
    }
  });
});

describe('a notification', () => {
  it('is shown with its identity', async () => {
    const one = wechatPay([paid('N-masked', 1n)]);
    await apply(one);
    const [listed] = (await api('GET', '/notifications?orderNumber=N-masked')).json().notifications;
    const answer = await api('GET', `/notifications/${listed.id}`);
    expect(answer.json()).toMatchObject({
      provider: 'wechatpay',
      channel: 'shop-wechat',
      notificationId: one.notificationId,
      digest: one.digest,
      conflicting: false,
      authenticity: 'signed',
      status: 'held',
      events: [{ position: 0, orderNumber: 'N-masked', holdReason: 'unknown_order' }],
      headers: { 'wechatpay-serial': 'PUB_KEY_ID_1' },
      body: { bytes: one.body.length, fields: { event_type: 'TRANSACTION.SUCCESS' } },
    });
  });

  it('never shows the payer, a signature or sealed content, wherever it is shown', async () => {
    await apply(notification([paid('N-masked', 2n)]));
    const list = await api('GET', '/notifications?orderNumber=N-masked');
    const ids = list.json().notifications.map(({ id }: { id: string }) => id);
    expect(ids).toHaveLength(2);
    const addresses = [
      '/notifications?limit=100',
      '/orders?limit=100',
      '/orders/N-early',
      ...ids.map((id: string) => `/notifications/${id}`),
    ];
    for (const address of addresses) {
      const { statusCode, body } = await api('GET', address);
      expect([address, statusCode]).toEqual([address, 200]);
      for (const secret of SECRETS) expect(body).not.toContain(secret);
    }
  });

  it('hides fields that an adapter put into an event by mistake', async () => {
    const event = { ...paid('N-mistake', 1n), payer: OPENID, openid: OPENID };
    await apply(notification([event]));
    const stored = await server.prisma.notificationEvent.findFirst({
      where: { orderNumber: 'N-mistake' },
    });
    expect(JSON.stringify(stored?.event)).toContain(OPENID);
    const { body } = await api('GET', '/notifications?orderNumber=N-mistake');
    expect(body).toContain('N-mistake');
    expect(body).not.toContain(OPENID);
  });

  it('is 404 for an unknown ID, and 400 for an impossible one', async () => {
    expect((await api('GET', '/notifications/999999')).statusCode).toBe(404);
    expect((await api('GET', '/notifications/abc')).statusCode).toBe(400);
  });
});
