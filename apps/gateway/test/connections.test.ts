import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { startFaultProxy } from '@payonce/testkit/faults/proxy';
import { eventually } from '@payonce/testkit/machine/poll';
import { expect, inject, onTestFinished, test } from 'vitest';
import {
  aPayment,
  makeGateway,
  makeProviders,
  portOf,
  redisSettings,
  untilReady,
} from './harness.js';

const LIMITS = { most: 6, mostOfAddress: 4 };
const STRANGER = '127.0.0.2';
const PROVIDER = '127.0.0.3';
const PROXY = '127.0.0.4';

const providers = await makeProviders();

async function listening(redisUrl = inject('redisUrl')) {
  const gateway = makeGateway(redisSettings(redisUrl), providers, {
    trustedProxies: [PROXY],
    connections: LIMITS,
  });
  onTestFinished(() => gateway.close());
  await untilReady(gateway.queue);
  await gateway.app.listen({ host: '127.0.0.1', port: 0 });
  const port = portOf(gateway);
  const open = async (localAddress: string): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port, localAddress });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  return { gateway, open };
}

async function several(count: number, one: () => Promise<Socket>): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let opened = 0; opened < count; opened += 1) sockets.push(await one());
  return sockets;
}

function textOf({ body, headers }: { body: Buffer; headers: Readonly<Record<string, string>> }) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = [
    'POST /notify/alipay/sim-alipay HTTP/1.1',
    'host: x',
    `content-length: ${body.length}`,
    ...lines,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
}

const genuine = () => textOf(providers.signers['sim-alipay'].payment(aPayment()));

async function replyOn(socket: Socket, request: Buffer): Promise<string> {
  socket.write(request);
  const [bytes] = await once(socket, 'data');
  return String(bytes);
}

/** Reading shows that the other end has closed. */
async function closedOf(sockets: readonly Socket[], count: number): Promise<boolean[]> {
  for (const socket of sockets) socket.resume();
  await eventually(() => expect(sockets.filter(({ closed }) => closed)).toHaveLength(count));
  return sockets.map(({ closed }) => closed);
}

test('an address with too many connections loses the one that was silent longest', async () => {
  const { gateway, open } = await listening();
  const provider = await open(PROVIDER);
  const strangers = await several(LIMITS.mostOfAddress + 2, () => open(STRANGER));
  expect(await closedOf(strangers, 2)).toEqual([true, true, false, false, false, false]);
  expect(await replyOn(provider, genuine())).toMatch(/^HTTP\/1\.1 200 /);
  expect(await gateway.metrics.metrics()).toMatch(/closed_connections_total\{[^}]*\} 2\n/);
});

test('when all are taken, a new sender takes the place of the one that was silent longest', async () => {
  const { open } = await listening();
  const strangers = await several(LIMITS.mostOfAddress, () => open(STRANGER));
  const others = await several(2, () => open('127.0.0.5'));
  // A request makes its connection the last to go.
  expect(await replyOn(strangers[0] as Socket, genuine())).toMatch(/^HTTP\/1\.1 200 /);
  expect(await replyOn(await open(PROVIDER), genuine())).toMatch(/^HTTP\/1\.1 200 /);
  expect(await closedOf([...strangers, ...others], 1)).toEqual([
    false,
    true,
    false,
    false,
    false,
    false,
  ]);
});

test('a request that waits for its reply keeps its connection; a new one is closed', async () => {
  const redis = new URL(inject('redisUrl'));
  const link = await startFaultProxy({ targetPort: Number(redis.port) });
  onTestFinished(() => link.close());
  redis.port = String(link.port);
  const { gateway, open } = await listening(redis.href);
  const waiting = await several(LIMITS.mostOfAddress, () => open(PROVIDER));
  link.inflict({ kind: 'hang', direction: 'both' });
  const replies = waiting.map((socket) => replyOn(socket, genuine()));
  await eventually(async () =>
    expect(await gateway.metrics.metrics()).toMatch(/received_total\{[^}]*\} 4\n/),
  );
  await closedOf([await open(PROVIDER)], 1);
  link.heal();
  for (const reply of await Promise.all(replies)) expect(reply).toMatch(/^HTTP\/1\.1 (200|503) /);
});

test("a trusted proxy's connections are not closed for being silent", async () => {
  const { open } = await listening();
  const trusted = await several(LIMITS.most, () => open(PROXY));
  await closedOf([await open(STRANGER)], 1);
  for (const socket of trusted)
    expect(await replyOn(socket, genuine())).toMatch(/^HTTP\/1\.1 200 /);
});

test('a connection without a complete head is closed after two seconds', async () => {
  const { open } = await listening();
  const [silent, half] = [await open(STRANGER), await open(STRANGER)];
  half.write('POST /notify/alipay/sim-alipay HTTP/1.1\r\nhost: x\r\n');
  const start = performance.now();
  await closedOf([silent, half], 2);
  expect(performance.now() - start).toBeLessThan(4_000);
});

test.each([
  ['a forgery', textOf({ body: Buffer.from('a=b'), headers: {} }), 400],
  ['a body that is too large', textOf({ body: Buffer.alloc(129 * 1_024, 'a'), headers: {} }), 413],
  [
    'an unknown channel',
    Buffer.from('POST /notify/alipay/nobody HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n'),
    404,
  ],
  ['another method', Buffer.from('GET /notify/alipay/sim-alipay HTTP/1.1\r\nhost: x\r\n\r\n'), 405],
])('%s is refused, and its connection closed', async (_, request, status) => {
  const { open } = await listening();
  const socket = await open(STRANGER);
  expect(await replyOn(socket, request)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  await closedOf([socket], 1);
});
