import type { LookupAddress } from 'node:dns';
import { connect, createServer as createTcpServer } from 'node:net';
import { type Lookup, whenConnected } from '@payonce/orders/deliveries/guarded-connect';
import { createWebhookClient, type WebhookClient } from '@payonce/orders/deliveries/webhook-client';
import { createAddressPolicy, parseNetwork } from '@payonce/orders/endpoints/networks';
import { listen } from '@payonce/testkit/machine/listening';
import { eventually } from '@payonce/testkit/machine/poll';
import { generateRsaKeyPair, issueCertificate } from '@payonce/testkit/signers/keys';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hookServer } from './hooks.js';

const local = parseNetwork('127.0.0.1');
const policy = createAddressPolicy(local ? [local] : []);
const LIMIT_MS = 400;

function client(
  options: Partial<Parameters<typeof createWebhookClient>[0]> = {},
  limitMs = 5_000,
): WebhookClient {
  const made = createWebhookClient({ policy, ...options }, limitMs);
  onTestFinished(() => made.close());
  return made;
}
const post = (to: WebhookClient, url: string) => to.post(url, {}, '{}', new Date());

const answering =
  (...answers: LookupAddress[][]): Lookup =>
  (_hostname, _options, callback) =>
    callback(null, answers.length > 1 ? (answers.shift() ?? []) : (answers[0] ?? []));
const at = (address: string): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 });

const REFUSED = {
  delivered: false,
  status: null,
  error: 'the address is not one that order events may be sent to',
};

describe('a response', () => {
  test.each([200, 201, 204, 299])('%i is a success', async (status) => {
    const shop = await hookServer((response) => void response.writeHead(status).end());
    expect(await post(client(), shop.url)).toMatchObject({ delivered: true, status, error: null });
  });

  test.each([400, 404, 410, 429, 500, 503])('%i is none', async (status) => {
    const shop = await hookServer((response) => void response.writeHead(status).end('why'));
    const result = await post(client(), shop.url);
    expect(result).toMatchObject({ delivered: false, status, response: Buffer.from('why') });
  });

  test.each([301, 302, 307, 308])('%i is none, and is not followed', async (status) => {
    const inside = await hookServer();
    const shop = await hookServer((response) => {
      response.writeHead(status, { location: inside.url }).end();
    });
    const result = await post(client(), shop.url);
    expect(result).toMatchObject({ delivered: false, error: 'redirects are not followed' });
    expect(inside.connections()).toBe(0);
  });

  test('that never ends is read up to the first KiB, and the connection is closed', async () => {
    const shop = await hookServer((response) => {
      response.writeHead(200);
      const more = () =>
        response.destroyed || response.write('x'.repeat(999), () => setImmediate(more));
      more();
    });
    const result = await post(client(), shop.url);
    expect(result).toMatchObject({ delivered: true, response: Buffer.alloc(1_024, 'x') });
    await eventually(() => expect(shop.sockets.size).toBe(0));
  });

  test('with a body that hangs or breaks off counts by its status, in time', async () => {
    for (const rest of [() => {}, (end: () => void) => end()]) {
      const shop = await hookServer((response) => {
        response.writeHead(200, { 'content-length': 500 }).write('so far');
        rest(() => setTimeout(() => response.destroy(), 10));
      });
      const start = performance.now();
      expect(await post(client({}, LIMIT_MS), shop.url)).toMatchObject({
        delivered: true,
        response: Buffer.from('so far'),
      });
      expect(performance.now() - start).toBeLessThan(10 * LIMIT_MS);
    }
  });

  test('that does not come, or whose headers drip or never end, is abandoned in time', async () => {
    const drip = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => socket.write('x: y\r\n'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    const { port, close } = await listen(drip);
    onTestFinished(close);
    const silent = await hookServer(() => {});
    for (const url of [silent.url, `http://127.0.0.1:${port}/`]) {
      const start = performance.now();
      const result = await post(client({}, LIMIT_MS), url);
      expect(result).toMatchObject({
        delivered: false,
        error: `no response within ${LIMIT_MS} ms`,
      });
      expect(performance.now() - start).toBeLessThan(10 * LIMIT_MS);
    }
  });
});

describe('an address that is not allowed', () => {
  test('is not connected to, written as an address or behind a name', async () => {
    const inside = await hookServer(undefined, { host: '127.0.0.2' });
    expect(await post(client(), inside.url)).toMatchObject(REFUSED);
    for (const answers of [
      [at('127.0.0.2')],
      [at('127.0.0.1'), at('127.0.0.2')],
      [at('::1')],
      [],
    ]) {
      const led = client({ lookup: answering(answers) });
      expect(await post(led, `http://shop.test:${inside.port}/`)).toMatchObject(REFUSED);
    }
    expect(inside.connections()).toBe(0);
  });

  test('gets no request by a name that changes between two lookups', async () => {
    const close = (response: import('node:http').ServerResponse) =>
      void response.writeHead(204, { connection: 'close' }).end();
    const shop = await hookServer(close);
    const inside = await hookServer(close, { host: '127.0.0.2', port: shop.port });
    const rebinding = client({ lookup: answering([at('127.0.0.1')], [at('127.0.0.2')]) });
    const url = `http://shop.test:${shop.port}/`;
    expect(await post(rebinding, url)).toMatchObject({ delivered: true });
    expect(await post(rebinding, url)).toMatchObject(REFUSED);
    expect(inside.connections()).toBe(0);
  });

  test('is found on the connected socket, before the first byte, including TLS', async () => {
    let bytes = 0;
    const inside = createTcpServer((socket) => {
      socket.on('data', (data) => {
        bytes += data.length;
      });
    });
    const { port, connections, close } = await listen(inside);
    onTestFinished(close);
    const socket = connect(port, '127.0.0.1');
    const error = await new Promise((resolve) => whenConnected(socket, () => false, resolve));
    expect(error).toMatchObject({ message: REFUSED.error });
    expect(socket.destroyed).toBe(true);
    for (const protocol of ['http', 'https']) {
      // The lookup's address is allowed; the socket's address is checked again.
      const asked: string[] = [];
      const fickle = {
        hasPlainNetworks: true,
        allows: (address: string) => asked.push(address) === 1,
      };
      const led = client({ policy: fickle, lookup: answering([at('127.0.0.1')]) });
      expect(await post(led, `${protocol}://shop.test:${port}/`)).toMatchObject(REFUSED);
      expect(asked).toEqual(['127.0.0.1', '127.0.0.1']);
    }
    await eventually(() => expect(connections()).toBe(3));
    expect(bytes).toBe(0);
  });
});

test("over TLS the certificate must be the host's, and of a trusted authority", async () => {
  const pair = generateRsaKeyPair();
  const { pem: cert } = await issueCertificate(pair, { commonName: 'shop.test' });
  const shop = await hookServer(undefined, { tls: { cert, key: pair.privatePem } });
  const lookup = answering([at('127.0.0.1')]);
  const url = (host: string) => `https://${host}:${shop.port}/`;
  expect(await post(client({ lookup, ca: cert }), url('shop.test'))).toMatchObject({ status: 204 });
  const other = await post(client({ lookup, ca: cert }), url('other.test'));
  expect(other).toMatchObject({ delivered: false, status: null });
  const untrusted = await post(client({ lookup }), url('shop.test'));
  expect(untrusted).toMatchObject({ delivered: false, status: null });
  expect(shop.heard).toHaveLength(1);
});
