import { connect } from 'node:net';
import { ensureSimulatedChannels, type SimulatedSigners } from '@payonce/testkit/channels/channels';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, deployment } from './deployed.js';

/**
 * Forgers on many sockets against a real gateway, behind a proxy that states each client's address.
 */

const FLOOD_MS = 4_000;
const SOCKETS = 200;
/** One of them is known from before. */
const FORGERS = 4;
const PER_MINUTE = 60;
/** Fifty megabytes of incoming bodies, and uncollected garbage. */
const GROWTH_LIMIT_BYTES = 250 * 1024 * 1024;
const PROVIDER = '203.0.113.8';

const { folder, startRedis, startApp, end } = deployment();
let gateway: App;
let signers: SimulatedSigners;

beforeAll(async () => {
  ({ signers } = await ensureSimulatedChannels(folder));
  gateway = await startApp('gateway', {
    REDIS_URL: await startRedis(),
    PAYONCE_TRUSTED_PROXIES: '127.0.0.1',
    PAYONCE_GATEWAY_REFUSED_PER_MINUTE: String(PER_MINUTE),
    PAYONCE_LOG_LEVEL: 'warn',
  });
});
afterAll(end);

let sent = 0;
async function notify(address: string, changed = false) {
  sent += 1;
  const { body, headers } = signers['sim-alipay'].payment({
    orderNumber: `F${sent}`,
    trade: `T${sent}`,
    amount: 8_888n,
    paidAt: new Date(),
  });
  return gateway.post('alipay', 'sim-alipay', {
    headers: { ...headers, 'x-forwarded-for': address },
    body: changed ? Buffer.from(body.toString().replace('88.88', '0.01')) : body,
  });
}

const metric = async (pattern: RegExp) =>
  Number(pattern.exec((await gateway.privately('/metrics')).text)?.[1] ?? Number.NaN);
const residentBytes = () => metric(/^process_resident_memory_bytes\{[^}]*\} (\d+)/m);

const unread = () => metric(/^payonce_gateway_refused_total\{status="429"[^}]*\} (\d+)/m);

/** One socket after the other until the time is up, each with a body of the maximum size. */
async function forge(address: string, until: number): Promise<void> {
  const body = Buffer.alloc(120 * 1024, 'a=1&sign=');
  const head = [
    'POST /notify/alipay/sim-alipay HTTP/1.1',
    'Host: gateway',
    `X-Forwarded-For: ${address}`,
    `Content-Length: ${body.length}`,
  ];
  while (Date.now() < until) {
    await new Promise<void>((resolve) => {
      const socket = connect(gateway.port, '127.0.0.1', () => {
        socket.write(`${head.join('\r\n')}\r\n\r\n`);
        socket.write(body);
      });
      socket.once('data', () => socket.destroy());
      socket.on('error', () => {});
      socket.once('close', () => resolve());
    });
  }
}

test('an address that forges is refused unread in the format of the protocol, and the provider is not', async () => {
  const forger = '198.51.100.200';
  const forged: (number | null)[] = [];
  for (let n = 0; n < PER_MINUTE + 20; n += 1) {
    forged.push((await notify(forger, true)).status);
    if (n % 10 === 0) expect((await notify(PROVIDER)).status).toBe(200);
  }
  expect(new Set(forged.slice(0, PER_MINUTE))).toEqual(new Set([401]));
  expect(forged.filter((status) => status === 429).length).toBeGreaterThan(5);
  expect(await notify(forger, true)).toMatchObject({ status: 429, body: 'fail' });
  // Genuine notifications have raised the budget of the provider's address.
  for (let n = 0; n < PER_MINUTE + 20; n += 1) await notify(PROVIDER, true);
  expect((await notify(PROVIDER)).status).toBe(200);
});

test('under a flood of forged requests memory is bounded, and genuine ones are accepted', async () => {
  const [before, unreadBefore] = [await residentBytes(), await unread()];
  const until = Date.now() + FLOOD_MS;
  const flood = Array.from({ length: SOCKETS }, (_, n) =>
    forge(`198.51.100.${200 + (n % FORGERS)}`, until),
  );
  const statuses: (number | null)[] = [];
  let peak = before;
  while (Date.now() < until) {
    statuses.push((await notify(PROVIDER)).status);
    peak = Math.max(peak, await residentBytes());
  }
  await Promise.all(flood);
  expect(statuses.length).toBeGreaterThan(0);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(peak - before).toBeLessThan(GROWTH_LIMIT_BYTES);
  expect(await unread()).toBeGreaterThan(unreadBefore);
});
