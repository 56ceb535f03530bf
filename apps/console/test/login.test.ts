import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  cookiesOf,
  formTokenIn,
  logIn,
  startConsole,
  submitLogin,
  type TestConsole,
} from './support.js';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const BROWSER = { accept: 'text/html,application/xhtml+xml' };

let server: TestConsole;
beforeAll(async () => {
  server = await startConsole();
});
afterAll(() => server.close());

describe('without a login', () => {
  const addresses = [
    '/',
    '/queues',
    '/queues/',
    '/queues/api/queues',
    '/queues/queue/notifications',
    '/queues/static/favicon-32x32.png',
    '/nothing-here',
    '/v2/orders',
  ];

  it.each(addresses)('a browser that opens %s is redirected to the login', async (url) => {
    const answer = await server.app.inject({ url, headers: BROWSER });
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/login']);
  });

  it.each(addresses)('a program that asks for %s is refused', async (url) => {
    const answer = await server.app.inject({ url, cookies: { 'payonce-session': 'x'.repeat(43) } });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it('nothing can be posted except the login form', async () => {
    for (const url of ['/', '/logout', '/queues/api/queues/notifications/add']) {
      const answer = await server.app.inject({
        method: 'POST',
        url,
        headers: FORM,
        payload: 'a=1',
      });
      expect([url, answer.statusCode]).toEqual([url, 401]);
    }
  });
});

describe('the login', () => {
  it('lets the operator in with the right password, and logging out ends the session permanently', async () => {
    const cookies = await logIn(server);
    const home = await server.app.inject({ url: '/', cookies });
    expect(home.statusCode).toBe(200);
    expect(home.body).toContain('href="/queues"');

    const payload = new URLSearchParams({ formToken: formTokenIn(home.body) }).toString();
    const out = await server.app.inject({
      method: 'POST',
      url: '/logout',
      cookies,
      headers: FORM,
      payload,
    });
    expect([out.statusCode, out.headers.location]).toEqual([303, '/login']);
    const after = await server.app.inject({ url: '/', cookies });
    expect(after.statusCode).toBe(401);
  });

  it('sets a cookie that scripts and other sites cannot use', async () => {
    const { answer } = await submitLogin(server.app, { password: server.password });
    const session = answer.cookies.find(({ name }) => name === 'payonce-session');
    expect(session).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/' });
    expect(session?.value).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(session?.maxAge).toBeUndefined();
  });

  it('never takes over an earlier session ID', async () => {
    const planted = 'p'.repeat(43);
    const form = await server.app.inject({ url: '/login' });
    const answer = await server.app.inject({
      method: 'POST',
      url: '/login',
      headers: FORM,
      cookies: { ...cookiesOf(form), 'payonce-session': planted },
      payload: new URLSearchParams({
        formToken: formTokenIn(form.body),
        user: 'operator',
        password: server.password,
      }).toString(),
    });
    expect(answer.statusCode).toBe(303);
    expect(cookiesOf(answer)['payonce-session']).not.toBe(planted);
    const withPlanted = { url: '/', cookies: { 'payonce-session': planted } };
    expect((await server.app.inject(withPlanted)).statusCode).toBe(401);
  });

  it('refuses a wrong password and a wrong user with the same words', async () => {
    const address = '192.0.2.1';
    const wrongPassword = await submitLogin(server.app, { password: 'not the password' }, address);
    const wrongUser = await submitLogin(
      server.app,
      { user: 'root', password: server.password },
      address,
    );
    for (const { answer } of [wrongPassword, wrongUser]) {
      expect(answer.statusCode).toBe(401);
      expect(answer.body).toContain('Wrong user or password.');
      expect(answer.cookies.map(({ name }) => name)).not.toContain('payonce-session');
    }
  });

  it('never shows what was typed', async () => {
    const typed = '"><script>alert(1)</script>';
    const { answer } = await submitLogin(server.app, { user: typed, password: typed }, '192.0.2.2');
    expect(answer.statusCode).toBe(401);
    expect(answer.body).not.toContain('alert(1)');
  });

  it('blocks an address that guesses, even with the right password later, and no other address', async () => {
    const guesser = '192.0.2.66';
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const { answer } = await submitLogin(server.app, { password: `guess ${attempt}` }, guesser);
      expect(answer.statusCode).toBe(401);
    }
    const { answer } = await submitLogin(server.app, { password: server.password }, guesser);
    expect(answer.statusCode).toBe(429);
    expect(answer.body).toContain('Too many attempts');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(answer.cookies.map(({ name }) => name)).not.toContain('payonce-session');

    const other = await submitLogin(server.app, { password: server.password }, '192.0.2.67');
    expect(other.answer.statusCode).toBe(303);
  });
});

describe('a forged form', () => {
  async function post(
    url: string,
    options: { cookies: Record<string, string>; token: string; site?: string },
  ) {
    return server.app.inject({
      method: 'POST',
      url,
      remoteAddress: '192.0.2.3',
      cookies: options.cookies,
      headers: { ...FORM, ...(options.site && { 'sec-fetch-site': options.site }) },
      payload: new URLSearchParams({
        formToken: options.token,
        user: 'operator',
        password: server.password,
      }).toString(),
    });
  }

  it('logs nobody in without the token of this browser', async () => {
    const mine = await server.app.inject({ url: '/login' });
    const other = await server.app.inject({ url: '/login' });
    const attempts = [
      { cookies: {}, token: formTokenIn(mine.body) },
      { cookies: cookiesOf(mine), token: '' },
      { cookies: cookiesOf(mine), token: formTokenIn(other.body) },
      { cookies: cookiesOf(mine), token: formTokenIn(mine.body), site: 'cross-site' },
      { cookies: cookiesOf(mine), token: formTokenIn(mine.body), site: 'same-site' },
    ];
    for (const attempt of attempts) expect((await post('/login', attempt)).statusCode).toBe(403);
  });

  it('logs nobody out without the token of this session', async () => {
    const cookies = await logIn(server);
    expect((await post('/logout', { cookies, token: 'x' })).statusCode).toBe(403);
    expect((await server.app.inject({ url: '/', cookies })).statusCode).toBe(200);
  });
});

describe('every answer', () => {
  it('forbids scripts of others, framing, sniffing, referrers and caching', async () => {
    const cookies = await logIn(server);
    for (const request of [{ url: '/login' }, { url: '/', cookies }, { url: '/queues', cookies }]) {
      const { headers } = await server.app.inject(request);
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
    }
  });

  it('is a plain refusal for an unknown address', async () => {
    const cookies = await logIn(server);
    const unknown = await server.app.inject({ url: '/nothing-here', cookies });
    expect(unknown.statusCode).toBe(404);
    const malformed = await server.app.inject({ url: '/%zz', cookies });
    expect(malformed.statusCode).toBe(400);
    const tooLarge = await server.app.inject({
      method: 'POST',
      url: '/login',
      remoteAddress: '192.0.2.4',
      headers: FORM,
      payload: 'a'.repeat(9_000),
    });
    expect(tooLarge.statusCode).toBe(413);
    const otherType = await server.app.inject({
      method: 'POST',
      url: '/login',
      remoteAddress: '192.0.2.4',
      headers: { 'content-type': 'text/html' },
      payload: 'a',
    });
    expect(otherType.statusCode).toBe(415);
    for (const answer of [unknown, tooLarge, otherType]) {
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.body).not.toMatch(/at .*\.[jt]s/);
    }
  });
});

describe('behind https', () => {
  it('cookies are Secure and bound to this host, and browsers stay with https', async () => {
    const secure = await startConsole({ https: true });
    try {
      const { answer } = await submitLogin(secure.app, { password: secure.password });
      const session = answer.cookies.find(({ name }) => name === '__Host-payonce-session');
      expect(session).toMatchObject({ secure: true, httpOnly: true, sameSite: 'Strict' });
      expect(answer.headers['strict-transport-security']).toBeDefined();
    } finally {
      await secure.close();
    }
  });
});
