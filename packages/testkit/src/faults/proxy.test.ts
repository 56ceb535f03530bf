import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Listening, listen } from '../machine/listening.js';
import { eventually } from '../machine/poll.js';
import { type FaultProxy, startFaultProxy } from './proxy.js';

/** A server that records its input and echoes it, and a proxy in front of it. */
let server: Listening;
let proxy: FaultProxy;
let heard: string;
let given: string;
const sockets = new Set<Socket>();

beforeEach(async () => {
  heard = '';
  given = '';
  const echo = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      heard += chunk;
      socket.write(chunk);
    });
  });
  server = await listen(echo);
  const watch = () => (chunk: Buffer) => {
    given += chunk;
  };
  proxy = await startFaultProxy({ targetPort: server.port, watch });
});
afterEach(async () => {
  await proxy.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await server.close();
});

interface Client {
  readonly socket: Socket;
  said(): string;
  state(): 'open' | 'broken';
}

function client(): Client {
  const socket = connect({ port: proxy.port, host: '127.0.0.1' });
  sockets.add(socket);
  let said = '';
  let state: 'open' | 'broken' = 'open';
  socket.on('data', (chunk) => {
    said += chunk;
  });
  socket.on('error', () => {
    state = 'broken';
  });
  socket.on('end', () => {
    state = 'broken';
  });
  return { socket, said: () => said, state: () => state };
}

/** Long enough for a round trip over the loopback, if it were possible. */
const quiet = () => new Promise((resolve) => setTimeout(resolve, 60));

test('without a fault everything passes both ways, and an end passes after it', async () => {
  const one = client();
  const long = 'x'.repeat(2_000_000);
  one.socket.end(long);
  await eventually(() => expect(one.said()).toBe(long));
  expect(given).toBe(long);
});

test('a link that refuses resets open and new connections, until it is healed', async () => {
  const before = client();
  before.socket.write('a');
  await eventually(() => expect(before.said()).toBe('a'));
  proxy.inflict({ kind: 'refuse' });
  const during = client();
  await eventually(() => expect([before.state(), during.state()]).toEqual(['broken', 'broken']));
  proxy.heal();
  const after = client();
  after.socket.write('b');
  await eventually(() => expect(after.said()).toBe('b'));
});

test.each([
  ['to_server', '', ''],
  ['from_server', 'ask', ''],
  ['both', '', ''],
] as const)(
  'a link that hangs %s closes nothing, and gives what it held when it is healed',
  async (direction, heardMeanwhile, saidMeanwhile) => {
    const open = client();
    open.socket.write('1');
    await eventually(() => expect(open.said()).toBe('1'));
    proxy.inflict({ kind: 'hang', direction });
    const fresh = client();
    heard = '';
    fresh.socket.write('ask');
    await eventually(() => expect(heard).toBe(heardMeanwhile));
    await quiet();
    expect([heard, given.slice(1), fresh.said(), fresh.state(), open.state()]).toEqual([
      heardMeanwhile,
      heardMeanwhile,
      saidMeanwhile,
      'open',
      'open',
    ]);
    proxy.heal();
    await eventually(() => expect(fresh.said()).toBe('ask'));
  },
);

test('a slow link keeps the order, also of data that comes after it was healed', async () => {
  const one = client();
  proxy.inflict({ kind: 'delay', ms: 100 });
  const startedAt = performance.now();
  one.socket.write('a');
  await eventually(() => expect(one.said()).toBe('a'));
  expect(performance.now() - startedAt).toBeGreaterThan(195);
  one.socket.write('b');
  await quiet();
  proxy.heal();
  one.socket.write('c');
  await eventually(() => expect(one.said()).toBe('abc'));
});

test('a link breaks in the middle of a reply that the server sent completely', async () => {
  const one = client();
  one.socket.write('12345');
  await eventually(() => expect(one.said()).toBe('12345'));
  proxy.inflict({ kind: 'cut', afterBytes: () => 3 });
  one.socket.write('abcdef');
  await eventually(() => expect(one.state()).toBe('broken'));
  expect([heard, one.said().slice(0, 8)]).toEqual(['12345abcdef', one.said()]);
  const next = client();
  next.socket.write('xy');
  await eventually(() => expect(next.said()).toBe('xy'));
});

test('a proxy closes while its target accepts no data', async () => {
  const deaf = createServer({ pauseOnConnect: true });
  const { port: targetPort, close } = await listen(deaf);
  const blocked = await startFaultProxy({ targetPort });
  const talker = connect({ port: blocked.port, host: '127.0.0.1' });
  sockets.add(talker);
  let broken = false;
  talker.on('error', () => {});
  talker.on('close', () => {
    broken = true;
  });
  // More than the buffers in between hold.
  talker.write(Buffer.alloc(32_000_000));
  await once(deaf, 'connection');
  await quiet();
  await blocked.close();
  await eventually(() => expect(broken).toBe(true));
  await close();
});

test('data that a server never received counts as not received', async () => {
  await server.close();
  const one = client();
  one.socket.write('lost');
  await eventually(() => expect(one.state()).toBe('broken'));
  expect(given).toBe('');
});
