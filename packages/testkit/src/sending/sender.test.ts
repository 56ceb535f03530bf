import { createServer, type RequestListener } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../machine/listening.js';
import { createSender, isAcknowledged, type Sender } from './sender.js';

const REQUEST = { body: Buffer.from('a=1'), headers: { 'content-type': 'text/plain' } };

/** A notify address, and a sender with a short limit. */
async function notifyAddress(listener: RequestListener) {
  const { port, close } = await listen(createServer(listener));
  const sender: Sender = createSender({ limitMs: 200 });
  onTestFinished(() => {
    sender.close();
    return close();
  });
  const url = `http://127.0.0.1:${port}/notify`;
  return { sender, send: () => sender.send(url, REQUEST) };
}

test('the exact bytes and headers arrive, and a whole reply in time is judged', async () => {
  const received: unknown[] = [];
  const { send } = await notifyAddress(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    received.push([method, url, headers['content-type'], Buffer.concat(chunks).toString()]);
    response.end('success');
  });
  const sent = await send();
  expect(sent).toMatchObject({ outcome: 'replied', reply: { status: 200 } });
  expect(isAcknowledged('alipay', sent)).toBe(true);
  expect(isAcknowledged('wechatpay-v2', sent)).toBe(false);
  expect(received).toEqual([['POST', '/notify', 'text/plain', 'a=1']]);
});

test.each<[string, string, RequestListener]>([
  ['no reply', 'timeout', () => {}],
  ['a reply that does not end', 'timeout', (_request, response) => void response.write('success')],
  [
    'a reply that breaks off',
    'unreachable',
    (_request, response) => {
      response.writeHead(200, { 'content-length': '9' });
      response.write('success', () => response.destroy());
    },
  ],
  ['a connection that is cut', 'unreachable', (request) => void request.socket.destroy()],
])('%s is no acknowledgement by any provider', async (_what, outcome, listener) => {
  const { send } = await notifyAddress(listener);
  const sent = await send();
  expect(sent.outcome).toBe(outcome);
  for (const provider of ['alipay', 'wechatpay', 'wechatpay-v2'] as const) {
    expect(isAcknowledged(provider, sent)).toBe(false);
  }
});

test('a redirect is a reply, and is not followed', async () => {
  let count = 0;
  const { send } = await notifyAddress((_request, response) => {
    count += 1;
    response.writeHead(302, { location: '/other' }).end();
  });
  const sent = await send();
  expect(sent).toMatchObject({ outcome: 'replied', reply: { status: 302 } });
  expect([count, isAcknowledged('wechatpay', sent)]).toEqual([1, false]);
});

test('of an endless reply only a start is read', async () => {
  const { send } = await notifyAddress((_request, response) => {
    response.on('drain', () => response.write(Buffer.alloc(100_000)));
    response.write(Buffer.alloc(100_000));
  });
  const sent = await send();
  expect(sent.outcome).toBe('replied');
  expect(isAcknowledged('alipay', sent)).toBe(false);
});

test('closing abandons what is under way, and sends nothing more', async () => {
  let count = 0;
  const { sender, send } = await notifyAddress(() => {
    count += 1;
    sender.close();
  });
  expect((await send()).outcome).toBe('stopped');
  expect((await send()).outcome).toBe('stopped');
  expect(count).toBe(1);
});
