import { connect, type Socket } from 'node:net';
import { ensureSimulatedChannels, type SimulatedSigners } from '@payonce/testkit/channels/channels';
import {
  createSender,
  isAcknowledged,
  replyStatus,
  type Sender,
  type SendOutcome,
} from '@payonce/testkit/sending/sender';
import { startOwnRedis } from '@payonce/testkit/stores/redis-server';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type App, deployment } from './deployed.js';

/** What strangers at the gateway do to genuine senders, who each open a new connection. */

const FULL = process.env.PAYONCE_TEST_FULL === '1';
/** Opened evenly in this time. */
const SILENT = FULL ? { connections: 40_000, ms: 20_000 } : { connections: 6_000, ms: 3_000 };
const FLOOD_MS = FULL ? 20_000 : 2_000;
/**
 * The load comes from this process and shares its core. At the small size it may be any machine,
 * also one with a fraction of its usual speed; providers wait for five seconds.
 */
const FLOODED_P95_MS = FULL ? 250 : 2_000;
const FLOODERS = 350;
const GENUINE_EVERY_MS = 20;
const STRANGER = '127.0.0.2';
const PROVIDER = '127.0.0.3';
const FORWARDED = { 'x-forwarded-for': '203.0.113.9' };

const { folder, startApp, undo, end } = deployment();
let redis: Awaited<ReturnType<typeof startOwnRedis>>;
let signers: SimulatedSigners;
let gateway: App;
const open = new Set<Socket>();

beforeAll(async () => {
  ({ signers } = await ensureSimulatedChannels(folder));
  redis = await startOwnRedis();
  undo.push(() => redis.remove());
});
afterAll(end);
afterEach(() => {
  for (const socket of open) socket.destroy();
});

const startGateway = async () => {
  gateway = await startApp('gateway', { REDIS_URL: redis.url, PAYONCE_LOG_LEVEL: 'warn' });
};

let sent = 0;
function genuine(sender: Sender, headers: Readonly<Record<string, string>> = {}) {
  sent += 1;
  const signed = signers['sim-alipay'].payment({
    orderNumber: `S${sent}`,
    trade: `T${sent}`,
    amount: 8_888n,
    paidAt: new Date(),
  });
  const url = `http://127.0.0.1:${gateway.port}/notify/alipay/sim-alipay`;
  return sender.send(url, { ...signed, headers: { ...signed.headers, ...headers } });
}

function strangerSocket(localAddress: string): Socket {
  const socket = connect({ host: '127.0.0.1', port: gateway.port, localAddress });
  open.add(socket);
  socket.on('error', () => {});
  socket.once('close', () => open.delete(socket));
  return socket;
}

/** One genuine notification every twenty milliseconds until `work` is done. */
async function sendWhile(
  work: Promise<unknown>,
  localAddress: string,
  headers?: Readonly<Record<string, string>>,
): Promise<SendOutcome[]> {
  const sender = createSender({ keepAlive: false, localAddress });
  const sending: Promise<SendOutcome>[] = [];
  const timer = setInterval(() => sending.push(genuine(sender, headers)), GENUINE_EVERY_MS);
  await work;
  clearInterval(timer);
  const outcomes = await Promise.all(sending);
  sender.close();
  return outcomes;
}

function judged(title: string, outcomes: readonly SendOutcome[]) {
  const acknowledged = outcomes.filter((one) => isAcknowledged('alipay', one));
  const latencies = acknowledged.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  const figures = {
    sent: outcomes.length,
    share: acknowledged.length / outcomes.length,
    p50: at(0.5),
    p95: at(0.95),
    max: at(0.9999),
  };
  console.log(title, JSON.stringify(figures));
  return figures;
}

test('silent connections of one address keep nobody from being served', async () => {
  await startGateway();
  const start = performance.now();
  let opened = 0;
  const opening = new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = (SILENT.connections * (performance.now() - start)) / SILENT.ms;
      for (; opened < Math.min(due, SILENT.connections); opened += 1) strangerSocket(STRANGER);
      if (opened < SILENT.connections) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });
  const { share, p95 } = judged(
    `${SILENT.connections} silent:`,
    await sendWhile(opening, PROVIDER),
  );
  expect(share).toBeGreaterThanOrEqual(0.99);
  expect(p95).toBeLessThan(500);
}, 90_000);

/** Sockets that post the most expensive body that is refused, one after the other. */
async function flood(localAddress: string, headers: Readonly<Record<string, string>>) {
  const until = performance.now() + FLOOD_MS;
  const fields = Array.from(
    { length: 150 },
    (_, n) => `<a${n}>${'a&lt;'.repeat(26)}${'x'.repeat(250)}</a${n}>`,
  );
  const body = `<xml>${fields.join('')}<sign>${'0'.repeat(64)}</sign></xml>`;
  const head = Object.entries({ host: 'gateway', 'content-length': body.length, ...headers });
  const lines = head.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const request = `POST /notify/wechatpay-v2/sim-wechat-v2 HTTP/1.1\r\n${lines}\r\n${body}`;
  const one = async () => {
    while (performance.now() < until) {
      const socket = strangerSocket(localAddress);
      socket.write(request);
      socket.once('data', () => socket.destroy());
      await new Promise((resolve) => socket.once('close', resolve));
    }
  };
  await Promise.all(Array.from({ length: FLOODERS }, one));
}

test.each([
  ['', {}],
  [' with a forwarding header', FORWARDED],
])(
  'the most expensive refused bodies%s delay nobody',
  async (how, headers) => {
    await startGateway();
    const outcomes = await sendWhile(flood(STRANGER, headers), PROVIDER);
    const { share, p95 } = judged(`${FLOODERS} flooders${how}:`, outcomes);
    expect(share).toBe(1);
    expect(p95).toBeLessThan(FLOODED_P95_MS);
  },
  90_000,
);

test('a provider behind a proxy that nobody trusts is not shut out by a flood through it', async () => {
  await startGateway();
  const outcomes = await sendWhile(flood(PROVIDER, FORWARDED), PROVIDER, FORWARDED);
  const { share } = judged('behind the same proxy:', outcomes);
  expect(share).toBeGreaterThan(0.8);
}, 90_000);

test('500 genuine requests of one address while Redis hangs are told to come again, none 429', async () => {
  await startGateway();
  const sender = createSender({ keepAlive: false, localAddress: PROVIDER });
  redis.suspend();
  const outcomes = await Promise.all(Array.from({ length: 500 }, () => genuine(sender)));
  redis.resume();
  sender.close();
  const statuses = new Set(outcomes.map(replyStatus));
  expect([...statuses]).toEqual([503]);
}, 60_000);
