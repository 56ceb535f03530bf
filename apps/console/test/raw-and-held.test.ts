import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notificationOf, paid, receive } from './received.js';
import { call, makeKey, startConsole, type TestConsole } from './support.js';

let server: TestConsole;
beforeAll(async () => {
  server = await startConsole();
});
afterAll(() => server.close());

describe('a notification as it was received', () => {
  const BUYER = '2088101106499364';

  it('is shown to administrators, byte for byte, and each look is recorded', async () => {
    const body = Buffer.from(`out_trade_no=R-1&buyer_id=${BUYER}`);
    const headers = { 'wechatpay-serial': 'PUB_KEY_ID_1' };
    const [id] = await receive(server, notificationOf([paid('R-1')], { body, headers }));
    const key = await makeKey(server, 'auditor', 'admin');
    const answer = await call(server, 'GET', `/notifications/${id}/raw`, { key });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.json()).toEqual({
      ...{ id: String(id), headers, text: body.toString(), purgedAt: null },
      bodyBase64: body.toString('base64'),
    });
    expect((await call(server, 'GET', `/notifications/${id}`)).body).not.toContain(BUYER);
    expect((await call(server, 'GET', `/notifications/${id}`)).json().audit).toMatchObject([
      { actor: 'key:auditor', action: 'notification.view_raw' },
    ]);
  });

  it('with bytes that are no text is shown only in base64', async () => {
    const body = Buffer.from([0xff, 0x00, 0xfe]);
    const [id] = await receive(server, notificationOf([paid('R-2')], { body }));
    const shown = (await call(server, 'GET', `/notifications/${id}/raw`)).json();
    expect([shown.bodyBase64, shown.text]).toEqual([body.toString('base64'), null]);
  });

  it('is not shown to a key that may only operate, and nothing is recorded', async () => {
    const [id] = await receive(server, notificationOf([paid('R-3')]));
    const key = await makeKey(server, 'operator', 'operate');
    expect((await call(server, 'GET', `/notifications/${id}/raw`, { key })).statusCode).toBe(403);
    expect((await call(server, 'GET', `/notifications/${id}`)).json().audit).toEqual([]);
  });
});

it("is found by the provider's ID and by the time of receipt", async () => {
  const receivedAt = new Date('2026-02-03T04:05:06.000Z');
  const one = notificationOf([paid('F-1')], { receivedAt });
  await receive(server, one, notificationOf([paid('F-2')]));
  const found = async (query: string) =>
    (await call(server, 'GET', `/notifications?${query}`))
      .json()
      .notifications.map((row: { notificationId: string }) => row.notificationId);
  expect(await found(`notificationId=${one.notificationId}`)).toEqual([one.notificationId]);
  const at = receivedAt.toISOString();
  expect(await found(`receivedFrom=${at}&receivedTo=${at}`)).toEqual([one.notificationId]);
  expect(await found('receivedTo=2026-02-03T04:05:05.999Z')).toEqual([]);
});

describe('held events', () => {
  const found = async (query: string) =>
    (await call(server, 'GET', `/held-events?merchant=held&${query}`)).json().events;

  it('are listed with their origin, newest first, and filtered', async () => {
    const ofMerchant = { merchant: 'held', channel: 'one' } as const;
    const [, , id] = await receive(
      server,
      notificationOf([paid('H-1')], ofMerchant),
      notificationOf([paid('H-2', { payeeMatches: false })], { ...ofMerchant, channel: 'two' }),
      notificationOf([paid('H-3'), paid('H-4')], ofMerchant),
      notificationOf([{ kind: 'nothing', orderNumber: null, says: 'X' }], ofMerchant),
    );
    const numbers = async (query: string) =>
      (await found(query)).map((one: { orderNumber: string }) => one.orderNumber);
    expect(await numbers('')).toEqual(['H-4', 'H-3', 'H-2', 'H-1']);
    expect(await numbers('reason=merchant_mismatch')).toEqual(['H-2']);
    expect(await numbers('channel=one&orderNumber=H-3')).toEqual(['H-3']);
    expect(await numbers('to=2020-01-01T00:00:00Z')).toEqual([]);
    expect((await found('orderNumber=H-4'))[0]).toMatchObject({
      ...{ notification: String(id), position: 1, provider: 'alipay', channel: 'one' },
      holdReason: 'unknown_order',
    });
    const page = (await call(server, 'GET', '/held-events?merchant=held&limit=3')).json();
    expect(await numbers(`cursor=${page.nextCursor}`)).toEqual(['H-1']);
  });
});
