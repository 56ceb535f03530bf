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
      // Forwarding headers do not matter: the connection counts.
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

  it("has no access without the proxy's header, whatever cookie it shows", async () => {
    const cookies = cookiesOf(await get(PROXY, NAMED));
    expect((await get(PROXY, NAMED, cookies)).cookies).toEqual([]);
    expect((await get(PROXY, { accept: 'text/html' }, cookies)).headers.location).toBe('/login');
    expect((await get('127.0.0.1', NAMED, cookies)).headers.location).toBe('/login');
  });

  it('changes as soon as the proxy names another one', async () => {
    const cookies = cookiesOf(await get(PROXY, NAMED));
    const other = await get(PROXY, { ...NAMED, 'x-forwarded-user': 'wang' }, cookies);
    expect(other.body).toContain('wang');
    expect(other.body).not.toContain('lin@shop.example');
    expect(cookiesOf(other)['payonce-session']).not.toBe(cookies['payonce-session']);
  });

  it('with the role read sees the trades of an order and no button to release one', async () => {
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

  it('with the role read sees no button, and its requests are refused', async () => {
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

describe('a person whose merchants the proxy names', () => {
  let server: TestConsole;
  beforeAll(async () => {
    const merchants = { header: 'x-merchants' };
    const identity = { header: 'x-user', role: 'admin', merchants, proxies: [PROXY] } as const;
    server = await startConsole({ identity });
  });
  afterAll(() => server.close());

  const get = (url: string, merchants?: string | string[], more: Record<string, string> = {}) => {
    const { cookie, ...headers } = more;
    return server.app.inject({
      ...{ url, remoteAddress: PROXY },
      headers: {
        ...{ 'x-user': 'lin', accept: 'text/html', ...headers },
        ...(cookie && { cookie }),
        ...(merchants !== undefined && { 'x-merchants': merchants }),
      },
    });
  };
  const cookieOf = (answer: Awaited<ReturnType<typeof get>>) =>
    `payonce-session=${cookiesOf(answer)['payonce-session']}`;
  const menuIn = (page: string) =>
    [...(/<nav .*?<\/nav>/s.exec(page)?.[0] ?? '').matchAll(/href="([^"]+)"/g)].map(
      ([, href = '']) => href,
    );

  it.each([
    ['*', ['/', '/dead-letters', '/audit', '/queues']],
    ['shop-a,shop-*', []],
  ])('sees the entries of the menu that %j may open, and no other', async (merchants, further) => {
    const menu = menuIn((await get('/orders', merchants)).body);
    const always = ['/held', '/orders', '/notifications', '/deliveries', '/endpoints', '/docs'];
    expect(menu.toSorted()).toEqual([...always, ...further].toSorted());
    for (const href of menu) {
      expect([href, (await get(href, merchants)).statusCode]).toEqual([href, 200]);
    }
  });

  it('of some merchants starts with the orders, and learns why another page does not open', async () => {
    const first = await get('/', 'shop-a');
    expect([first.statusCode, first.headers.location]).toEqual([303, '/orders']);
    for (const [language, words] of [
      ['en', 'This page covers all merchants'],
      ['zh-CN', '此页面涉及全部商户'],
    ] as const) {
      const page = await get('/audit', 'shop-a', { 'accept-language': language });
      expect([page.statusCode, page.body.includes(words)]).toEqual([403, true]);
    }
  });

  it.each([
    ...[undefined, '', ',', 'shop-a,', 'shop-a, shop-b', ' ', 'shop a', 'sh\u00f6p'],
    ...['*****', 'x'.repeat(65), Array.from({ length: 101 }, (_, n) => `s${n}`).join()],
  ])('has no access with %j: an unreadable header does not mean all', async (merchants) => {
    const answer = await get('/orders', merchants);
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/login']);
  });

  it("has no access when two headers name merchants: one may be the browser's", async () => {
    const local = await startConsole({
      identity: {
        ...{ header: 'x-user', role: 'read', proxies: ['127.0.0.1'] },
        merchants: { header: 'x-merchants' },
      },
    });
    const at = await local.app.listen({ host: '127.0.0.1', port: 0 });
    const statusWith = async (...values: string[]) => {
      const headers = new Headers({ 'x-user': 'lin' });
      for (const value of values) headers.append('x-merchants', value);
      return (await fetch(`${at}/orders`, { headers })).status;
    };
    expect(await statusWith('shop-a')).toBe(200);
    expect(await statusWith('*', 'shop-a')).toBe(401);
    await local.close();
  });

  it('with other merchants than before is another session; the former one ends', async () => {
    const first = await get('/audit', '*');
    expect(first.statusCode).toBe(200);
    // A merchant of that name does not mean all.
    const second = await get('/audit', 'all', { cookie: cookieOf(first) });
    expect(second.statusCode).toBe(403);
    expect(cookieOf(second)).not.toBe(cookieOf(first));
    const again = await get('/audit', '*', { cookie: cookieOf(first) });
    expect([again.statusCode, cookieOf(again)]).not.toEqual([200, cookieOf(first)]);
    const same = await get('/orders', 'all', { cookie: cookieOf(second) });
    expect([same.statusCode, same.cookies]).toEqual([200, []]);
  });
});

describe('people whom a proxy names', () => {
  it('have the merchants of the setting, if the proxy names none', async () => {
    const merchants = ['shop-*'];
    const identity = { header: 'x-user', role: 'read', merchants, proxies: [PROXY] } as const;
    const server = await startConsole({ identity });
    const statusOf = async (url: string) =>
      (
        await server.app.inject({
          ...{ url, remoteAddress: PROXY },
          headers: { 'x-user': 'lin', 'x-merchants': '*' },
        })
      ).statusCode;
    expect([await statusOf('/orders'), await statusOf('/audit')]).toEqual([200, 403]);
    expect([await statusOf('/orders/shop-1/A'), await statusOf('/orders/other/A')]).toEqual([
      ...[404, 404],
    ]);
    await server.close();
  });
});

describe('without that setting', () => {
  it('nobody is identified by a header', async () => {
    const server = await startConsole();
    const answer = await server.app.inject({ url: '/', remoteAddress: PROXY, headers: NAMED });
    expect(answer.headers.location).toBe('/login');
    await server.close();
  });
});
