/**
 * Releasing a wrongly claimed trade and reinstating it, through the API and on pages in both
 * languages.
 */

import { systemClock } from '@payonce/core/runtime/clock';
import { flagContested } from '@payonce/orders/notifications/trades/flag-contested';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notificationOf, paid, receive } from './received.js';
import {
  call,
  formTokenIn,
  logIn,
  makeKey,
  silent,
  startConsole,
  type TestConsole,
} from './support.js';

let server: TestConsole;
beforeAll(async () => {
  server = await startConsole();
});
afterAll(() => server.close());

const at = (number: string, trade: string, action: string) =>
  `/orders/${number}/trades/alipay/${trade}/${action}`;
const reason = { reason: 'it pays the other order', operator: 'lin' };

async function register(...numbers: string[]) {
  const orders = numbers.map((orderNumber) => ({ orderNumber, amount: '8888' }));
  await call(server, 'POST', '/orders', { payload: { orders } });
}

const pay = (orderNumber: string, trade: string, changes: object = {}) =>
  receive(server, notificationOf([paid(orderNumber, { trade })], changes));

const order = async (number: string, merchant = 'default') =>
  (await call(server, 'GET', `/orders/${number}?merchant=${merchant}`)).json();

describe('the API', () => {
  it('shows the effects of releasing, does it, and reinstates the trade', async () => {
    await register('A-1', 'A-2');
    await pay('A-1', 'T1');
    await pay('A-2', 'T1');
    const look = await call(server, 'GET', at('A-1', 'T1', 'release'));
    expect(look.json()).toMatchObject({
      changed: true,
      before: { status: 'paid', paidAmount: '8888' },
      after: { status: 'pending', paidAmount: '0' },
      tradeOwner: 'A-2',
      orderEvents: [
        { orderNumber: 'A-1', type: 'order.payment_withdrawn', milestone: 'withdrawn' },
        { orderNumber: 'A-2', type: 'order.paid', milestone: 'paid' },
      ],
      heldEvents: [{ orderNumber: 'A-2', outcome: 'applied', holdReason: null }],
    });
    expect(await order('A-1')).toMatchObject({ status: 'paid' });
    const version = look.json().before.version;
    const stale = { payload: { ...reason, version: version + 1 } };
    expect((await call(server, 'POST', at('A-1', 'T1', 'release'), stale)).json()).toMatchObject({
      status: 409,
      code: 'order_changed',
    });
    const payload = { ...reason, version };
    const done = await call(server, 'POST', at('A-1', 'T1', 'release'), { payload });
    expect(done.json()).toEqual(look.json());
    expect(await order('A-1')).toMatchObject({
      status: 'pending',
      audit: [{ action: 'trade.release', operator: 'lin', reason: reason.reason }],
    });
    expect(await order('A-2')).toMatchObject({
      status: 'paid',
      trades: [{ rail: 'alipay', trade: 'T1' }],
    });
    const found = (await call(server, 'GET', '/orders?trade=T1')).json();
    expect(found.orders).toHaveLength(2);
    const taken = await call(server, 'POST', at('A-1', 'T1', 'reinstate'), { payload: reason });
    expect(taken.json()).toMatchObject({ status: 409, code: 'trade_taken' });
    expect(taken.json().detail).toMatch('A-2');
    await call(server, 'POST', at('A-2', 'T1', 'release'), { payload: reason });
    const back = await call(server, 'POST', at('A-1', 'T1', 'reinstate'), { payload: reason });
    expect(back.json()).toMatchObject({
      after: { status: 'paid' },
      tradeOwner: 'A-1',
      orderEvents: [{ type: 'order.paid', milestone: 'paid:2' }],
    });
    const { entries } = (await call(server, 'GET', '/orders/A-1/timeline')).json();
    const kinds = entries.flatMap((entry: { fact?: { kind: string } }) => entry.fact?.kind ?? []);
    expect(kinds).toEqual(['paid', 'released', 'reinstated']);
  });

  it('requires the role, a reason, and an existing order', async () => {
    await register('B-1');
    await pay('B-1', 'T2');
    const key = await makeKey(server, 'looker', 'read');
    for (const [method, options] of [
      ['GET', { key }],
      ['POST', { key, payload: reason }],
    ] as const) {
      for (const action of ['release', 'reinstate']) {
        const answer = await call(server, method, at('B-1', 'T2', action), options);
        expect([method, action, answer.statusCode]).toEqual([method, action, 403]);
      }
    }
    const codes = [
      await call(server, 'POST', at('B-1', 'T2', 'release'), { payload: {} }),
      await call(server, 'POST', at('B-0', 'T2', 'release'), { payload: reason }),
      await call(server, 'POST', `${at('B-1', 'T2', 'release')}?merchant=other`, {
        payload: reason,
      }),
      await call(server, 'POST', at('B-1', 'T0', 'release'), { payload: reason }),
      await call(server, 'POST', at('B-1', 'T2', 'reinstate'), { payload: reason }),
    ].map((answer) => answer.json().code);
    expect(codes).toEqual([
      'invalid_request',
      'unknown_order',
      'unknown_order',
      'unknown_trade',
      'not_released',
    ]);
    expect(await order('B-1')).toMatchObject({ status: 'paid', audit: [] });
  });

  it('does it once under an Idempotency-Key', async () => {
    await register('C-1');
    await pay('C-1', 'T3');
    const options = { payload: reason, headers: { 'idempotency-key': 'release-C-1' } };
    const answers = [
      await call(server, 'POST', at('C-1', 'T3', 'release'), options),
      await call(server, 'POST', at('C-1', 'T3', 'release'), options),
    ];
    expect(answers.map((answer) => answer.json().changed)).toEqual([true, true]);
    expect(answers[1]?.headers['idempotent-replayed']).toBe('true');
    const again = await call(server, 'POST', at('C-1', 'T3', 'release'), { payload: reason });
    expect(again.json()).toMatchObject({ changed: false, orderEvents: [] });
  });
});

describe('the pages', () => {
  const WORDS = {
    en: [/Release a trade/, /no longer counts? for this order/, /Please give a reason/],
    'zh-CN': [/解除交易/, /不再计入本订单/, /请填写/],
  } as const;

  it.each(['en', 'zh-CN'] as const)(
    '%s: a page with the effects, a reason, and it is done',
    async (language) => {
      const [title, happens, fault] = WORDS[language];
      const number = `P-${language}`;
      const trade = `TP-${language}`;
      await register(number);
      await pay(number, trade);
      const cookies = await logIn(server);
      const headers = { 'accept-language': language, 'sec-fetch-site': 'same-origin' };
      const path = (action: string) => `/orders/default/${number}/trades/alipay/${trade}/${action}`;
      const get = (url: string) => server.app.inject({ url, cookies, headers });
      const post = (url: string, fields: Record<string, string>) =>
        server.app.inject({
          ...{ method: 'POST', url, cookies },
          headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
          payload: new URLSearchParams(fields).toString(),
        });
      expect((await get(`/orders/default/${number}`)).body).toContain(path('release'));
      const form = await get(path('release'));
      expect(form.body).toMatch(title);
      expect(form.body).toMatch(happens);
      expect(form.body).toMatch('order.payment_withdrawn');
      const formToken = formTokenIn(form.body);
      const version = /name="version" value="(\d+)"/.exec(form.body)?.[1] ?? '';
      const unreasoned = await post(path('release'), { formToken, version });
      expect(unreasoned.statusCode).toBe(400);
      expect(unreasoned.body).toMatch(fault);
      const stale = await post(path('release'), { formToken, version: '99', reason: 'wrong' });
      expect(stale.headers.location).toBe(`/orders/default/${number}`);
      expect(await order(number)).toMatchObject({ status: 'paid' });
      await get(`/orders/default/${number}`);
      const done = await post(path('release'), { formToken, version, reason: 'not ours' });
      expect(done.statusCode).toBe(303);
      const after = await get(String(done.headers.location));
      expect(after.body).toMatch(happens);
      expect(after.body).toContain(path('reinstate'));
      expect(await order(number)).toMatchObject({ status: 'pending' });
      const back = await get(path('reinstate'));
      expect(back.statusCode).toBe(200);
      await post(path('reinstate'), {
        formToken: formTokenIn(back.body),
        reason: 'ours after all',
      });
      expect(await order(number)).toMatchObject({ status: 'paid' });
      expect((await get(path('reinstate'))).statusCode).toBe(200);
      expect((await get(`/orders/default/${number}/trades/alipay/none/release`)).statusCode).toBe(
        404,
      );
    },
  );

  it('shows that a trade is contested, without naming the other merchant', async () => {
    await register('X-1');
    await call(server, 'POST', '/orders', {
      payload: { merchant: 'hostile', orderNumber: 'H-1', amount: '8888' },
    });
    await pay('H-1', 'TX', { merchant: 'hostile', channel: 'hostile-alipay' });
    await pay('X-1', 'TX');
    await flagContested({ prisma: server.prisma, log: silent, clock: systemClock }, 10);
    const cookies = await logIn(server);
    for (const [url, foreign] of [
      ['/orders/default/X-1', /hostile|H-1/],
      ['/orders/hostile/H-1', /X-1/],
    ] as const) {
      const page = await server.app.inject({ url, cookies });
      expect(page.body).toMatch('Trade claimed by another merchant');
      expect(page.body).not.toMatch(foreign);
    }
    expect(await order('X-1')).toMatchObject({
      status: 'paid',
      attention: ['contested_trade'],
      trades: [{ trade: 'TX' }],
    });
    expect(JSON.stringify(await order('X-1'))).not.toMatch(/hostile|H-1/);
  });
});
