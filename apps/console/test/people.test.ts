import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notificationOf, paid, receive } from './received.js';
import { call, cookiesOf, formTokenIn, startConsole, type TestConsole } from './support.js';

const PROXY = '10.1.2.3';
const FORM = {
  'content-type': 'application/x-www-form-urlencoded',
  'sec-fetch-site': 'same-origin',
};
const NAMED = { 'x-forwarded-user': 'lin@shop.example', accept: 'text/html' };

describe('a person whom an authenticating proxy names', () => {
  let server: TestConsole;
  beforeAll(async () => {
    const identity = {
      header: 'x-forwarded-user',
      role: 'read',
      proxies: ['10.1.0.0/16'],
    } as const;
    server = await startConsole({ identity });
  });
  afterAll(() => server.close());

  const get = (
    from: string,
    headers: Record<string, string>,
    cookies: Record<string, string> = {},
  ) => server.app.inject({ url: '/orders', remoteAddress: from, headers, cookies });

  it('is let in without a password, under that name', async () => {
    const answer = await get(PROXY, NAMED);
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toContain('lin@shop.example');
  });

  it.each(['127.0.0.1', '10.2.0.1', '::1'])(
    'is not believed to be that when %s says so',
    async (from) => {
      // Whatever the forwarding headers say: it is the connection that counts.
      const headers = { ...NAMED, 'x-forwarded-for': PROXY, forwarded: `for=${PROXY}` };
      expect((await get(from, headers)).headers.location).toBe('/login');
    },
  );

  it.each(['', 'two names', 'key:bootstrap', 'x'.repeat(65), 'li\u00fc'])(
    'is nobody as %j',
    async (name) => {
      const answer = await get(PROXY, { ...NAMED, 'x-forwarded-user': name });
      expect(answer.headers.location).toBe('/login');
    },
  );

  it('is nobody any more without the word of the proxy, whatever cookie is shown', async () => {
    const cookies = cookiesOf(await get(PROXY, NAMED));
    expect((await get(PROXY, NAMED, cookies)).cookies).toEqual([]);
    expect((await get(PROXY, { accept: 'text/html' }, cookies)).headers.location).toBe('/login');
    expect((await get('127.0.0.1', NAMED, cookies)).headers.location).toBe('/login');
  });

  it('is somebody else as soon as the proxy says so', async () => {
    const cookies = cookiesOf(await get(PROXY, NAMED));
    const other = await get(PROXY, { ...NAMED, 'x-forwarded-user': 'wang' }, cookies);
    expect(other.body).toContain('wang');
    expect(other.body).not.toContain('lin@shop.example');
    expect(cookiesOf(other)['payonce-session']).not.toBe(cookies['payonce-session']);
  });

  it('who may only look sees the trades of an order and no way to release one', async () => {
    const payload = { orderNumber: 'A-1', amount: '8888' };
    await call(server, 'POST', '/orders', { payload });
    await receive(server, notificationOf([paid('A-1', { trade: 'T1' })]));
    const url = '/orders/default/A-1';
    const page = await server.app.inject({ url, remoteAddress: PROXY, headers: NAMED });
    expect(page.body).toContain('T1');
    expect(page.body).not.toContain('/release');
    const look = await server.app.inject({
      url: `${url}/trades/alipay/T1/release`,
      remoteAddress: PROXY,
      headers: NAMED,
    });
    expect(look.statusCode).toBe(403);
  });

  it('who may only look sees no button, and is refused what none was shown for', async () => {
    const page = await get(PROXY, NAMED);
    const cookies = cookiesOf(page);
    const payload = new URLSearchParams({
      formToken: formTokenIn(page.body),
      reason: 'x',
    }).toString();
    for (const url of [
      '/held/1/0/retry',
      '/held/1/0/accept',
      '/dead-letters/1/dismiss',
      '/endpoints/1/enable',
      '/orders/default/A-1/trades/alipay/T1/release',
      '/orders/default/A-1/trades/alipay/T1/reinstate',
    ]) {
      const headers = { ...NAMED, ...FORM };
      const answer = await server.app.inject({
        method: 'POST',
        url,
        remoteAddress: PROXY,
        headers,
        cookies,
        payload,
      });
      expect([url, answer.statusCode]).toEqual([url, 403]);
    }
  });
});

describe('without that setting', () => {
  it('nobody is believed to be anybody', async () => {
    const server = await startConsole();
    const answer = await server.app.inject({ url: '/', remoteAddress: PROXY, headers: NAMED });
    expect(answer.headers.location).toBe('/login');
    await server.close();
  });
});
