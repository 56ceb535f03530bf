import { eventually } from '@payonce/testkit/machine/poll';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notificationOf, paid, receive } from './received.js';
import { cookiesOf, formTokenIn, startConsole, submitLogin, type TestConsole } from './support.js';

let server: TestConsole;
let url: string;
beforeAll(async () => {
  server = await startConsole();
  url = await server.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());

async function newSession(): Promise<string> {
  const { answer } = await submitLogin(server.app, { password: server.password });
  return `payonce-session=${cookiesOf(answer)['payonce-session']}`;
}

/** Opens a stream. `came` has its data; `ended` resolves when the console ends it. */
async function watch(cookie: string, topic: string) {
  const answer = await fetch(`${url}/live?${topic}`, { headers: { cookie } });
  const stream = {
    status: answer.status,
    headers: answer.headers,
    came: '',
    ended: Promise.resolve(),
  };
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) stream.came += decoder.decode(chunk);
  };
  stream.ended = read();
  return stream;
}

async function logOut(cookie: string): Promise<void> {
  const page = await (await fetch(`${url}/orders`, { headers: { cookie } })).text();
  const body = new URLSearchParams({ formToken: formTokenIn(page) });
  const answer = await fetch(`${url}/logout`, {
    method: 'POST',
    headers: { cookie },
    body,
    redirect: 'manual',
  });
  expect(answer.status).toBe(303);
}

const news = (came: string) => came.match(/^event: change$/gm)?.length ?? 0;

describe('a live stream', () => {
  it('is for people who have logged in, and for known topics', async () => {
    const cookie = await newSession();
    expect((await fetch(`${url}/live?topic=overview`)).status).toBe(401);
    for (const topic of ['', 'topic=everything', 'topic=order', 'topic=order&id=1%20OR%201=1']) {
      expect((await watch(cookie, topic)).status, topic).toBe(404);
    }
  });

  it('signals news of an order, and nothing of its content', async () => {
    const order = await server.prisma.order.create({
      data: {
        merchant: 'm',
        number: 'WATCHED',
        amount: 1n,
        currency: 'CNY',
        createdAt: new Date(),
        updatedAt: new Date(),
      },
    });
    const stream = await watch(await newSession(), `topic=order&id=${order.id}`);
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.headers.get('cache-control')).toBe('no-store');
    // One signal at first: otherwise changes between the page and the stream would be missed.
    await eventually(() => expect(news(stream.came)).toBe(1));
    await server.prisma.order.update({
      where: { id: order.id },
      data: { version: 1, status: 'closed' },
    });
    await eventually(() => expect(news(stream.came)).toBe(2));
    expect(stream.came).not.toContain('WATCHED');
  });

  it("of held events covers the watcher's merchants, and no other", async () => {
    const proxies = ['127.0.0.1'];
    const limit = { header: 'x-merchants' };
    const other = await startConsole({
      databaseUrl: server.databaseUrl,
      identity: { header: 'x-user', role: 'read', merchants: limit, proxies },
    });
    const at = await other.app.listen({ host: '127.0.0.1', port: 0 });
    const watchAs = async (merchants: string, topic = 'held') => {
      const headers = { 'x-user': 'lin', 'x-merchants': merchants };
      const answer = await fetch(`${at}/live?topic=${topic}`, { headers });
      const stream = { status: answer.status, came: '' };
      const read = async () => {
        const decoder = new TextDecoder();
        for await (const chunk of answer.body ?? []) stream.came += decoder.decode(chunk);
      };
      read().catch(() => undefined);
      return stream;
    };
    expect((await watchAs('shop-a', 'overview')).status).toBe(404);
    const mine = await watchAs('shop-*');
    const others = await watchAs('elsewhere');
    await eventually(() => expect([news(mine.came), news(others.came)]).toEqual([1, 1]));
    const held = notificationOf([paid('NOBODY')], { merchant: 'shop-a', channel: 'live' });
    await receive(server, held);
    await eventually(() => expect(news(mine.came)).toBe(2));
    // One statement looks at both.
    expect(news(others.came)).toBe(1);
    await other.close();
  });

  it('is one of four at most, and ends with its session', async () => {
    const cookie = await newSession();
    const other = await watch(await newSession(), 'topic=held');
    const streams = await Promise.all([1, 2, 3, 4].map(() => watch(cookie, 'topic=held')));
    expect(streams.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await watch(cookie, 'topic=held')).status).toBe(204);
    await logOut(cookie);
    await Promise.all(streams.map(({ ended }) => ended));
    expect((await watch(cookie, 'topic=held')).status).toBe(401);
    await eventually(() => expect(news(other.came)).toBeGreaterThan(0));
  });

  it('is not opened by a request for its headers only', async () => {
    const cookie = await newSession();
    for (let n = 0; n < 5; n += 1) {
      await fetch(`${url}/live?topic=held`, { method: 'HEAD', headers: { cookie } });
    }
    expect((await watch(cookie, 'topic=held')).status).toBe(200);
  });

  it('ends when the console stops, and does not delay the stop', async () => {
    const stream = await watch(await newSession(), 'topic=overview');
    expect(stream.status).toBe(200);
    await server.app.close();
    await stream.ended;
  });
});
