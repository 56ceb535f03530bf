import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, test } from 'vitest';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.mjs');
const secretOf = (name: string) => `whsec_${Buffer.from(name.padEnd(32, '.')).toString('base64')}`;
const OURS = secretOf('ours');

/** The example as a merchant runs it, in a separate process. */
interface Consumer {
  readonly child: ChildProcess;
  readonly url: string;
}

let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'payonce-consumer-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) await end(child, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function start(): Promise<Consumer> {
  const child = spawn(process.execPath, [MAIN], {
    env: { WEBHOOK_SECRET: OURS, PORT: '0', EVENTS_FILE: join(folder, 'events.jsonl') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return new Promise((resolve, reject) => {
    let printed = '';
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${printed}`)));
    child.stdout.on('data', (chunk) => {
      printed += chunk;
      const [, url] = /listening on (\S+)\n/.exec(printed) ?? [];
      if (url !== undefined) resolve({ child, url });
    });
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await exited;
}

interface Sent {
  readonly id: string;
  readonly version?: number;
  /** `order.paid` by default. */
  readonly type?: string;
  readonly status?: string;
  readonly secret?: string;
  readonly at?: Date;
  /** The body that replaces the signed one. */
  readonly instead?: string;
}

/** Signs with the package of Standard Webhooks. @returns the status of the answer */
async function send({ url }: Consumer, sent: Sent): Promise<number> {
  const { id, version = 1, secret = OURS, at = new Date(), instead, type = 'order.paid' } = sent;
  const data = {
    merchant: 'demo',
    orderNumber: 'O1',
    status: sent.status ?? (version === 1 ? 'paid' : 'refunded'),
    paidAmount: '8888',
    refundedAmount: version === 1 ? '0' : '8888',
    version,
  };
  const body = JSON.stringify({ type, timestamp: at.toISOString(), data });
  const response = await fetch(`${url}/payonce`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(secret).sign(id, at, body),
    },
    body: instead ?? body,
  });
  await response.arrayBuffer();
  return response.status;
}

async function events({ url }: Consumer) {
  const answer = await (await fetch(`${url}/events`)).json();
  return answer as { refused: number; events: { id: string; data: { version: number } }[] };
}

async function order({ url }: Consumer) {
  const { orders } = (await (await fetch(`${url}/orders`)).json()) as {
    orders: { version: number; status: string }[];
  };
  expect(orders.length).toBeLessThan(2);
  return orders[0];
}

test('a forged, an altered and an unsigned request are refused, and leave nothing behind', async () => {
  const consumer = await start();
  expect(await send(consumer, { id: 'evt_1', secret: secretOf('theirs') })).toBe(401);
  expect(await send(consumer, { id: 'evt_1', instead: '{"type":"order.paid"}' })).toBe(401);
  const unsigned = await fetch(`${consumer.url}/payonce`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"type":"order.paid"}',
  });
  expect(unsigned.status).toBe(401);
  expect(await events(consumer)).toEqual({ refused: 3, events: [] });
  expect(await order(consumer)).toBeUndefined();
});

test('a genuine request that is more than five minutes old is refused', async () => {
  const consumer = await start();
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);
  expect(await send(consumer, { id: 'evt_1', at: minutesAgo(6) })).toBe(401);
  expect(await send(consumer, { id: 'evt_1', at: minutesAgo(4) })).toBe(201);
});

test('copies of one order event, at once or later, are stored once and answered like the first', async () => {
  const consumer = await start();
  const atOnce = Array.from({ length: 8 }, () => send(consumer, { id: 'evt_1' }));
  expect((await Promise.all(atOnce)).toSorted()).toEqual([...Array(7).fill(200), 201]);
  expect(await send(consumer, { id: 'evt_1' })).toBe(200);
  expect((await events(consumer)).events.map(({ id }) => id)).toEqual(['evt_1']);
});

test('an older state of an order never replaces a newer one', async () => {
  const consumer = await start();
  await send(consumer, { id: 'evt_2', version: 2 });
  expect(await send(consumer, { id: 'evt_1', version: 1 })).toBe(201);
  expect(await order(consumer)).toMatchObject({ version: 2, status: 'refunded' });
  const { events: newestFirst } = await events(consumer);
  expect(newestFirst.map(({ id }) => id)).toEqual(['evt_1', 'evt_2']);
});

test('a withdrawn payment makes the order unpaid, and it can be paid again', async () => {
  const consumer = await start();
  await send(consumer, { id: 'evt_1', version: 1 });
  const type = 'order.payment_withdrawn';
  expect(await send(consumer, { id: 'evt_2', version: 2, type, status: 'pending' })).toBe(201);
  expect(await order(consumer)).toMatchObject({ version: 2, status: 'pending' });
  await send(consumer, { id: 'evt_3', version: 3, status: 'paid' });
  expect(await order(consumer)).toMatchObject({ version: 3, status: 'paid' });
});

test('an event that was answered with 2xx survives SIGKILL, and an incomplete line is dropped', async () => {
  const killed = await start();
  const answered: string[] = [];
  const sending = Array.from({ length: 40 }, async (_, index) => {
    const status = await send(killed, { id: `evt_${index}`, version: index + 1 }).catch(() => 0);
    if (status === 201) answered.push(`evt_${index}`);
    if (answered.length === 10) killed.child.kill('SIGKILL');
  });
  await Promise.all(sending);
  expect(answered.length).toBeGreaterThanOrEqual(10);
  appendFileSync(join(folder, 'events.jsonl'), '{"id":"evt_half","type":"order.pa');

  const again = await start();
  const kept = (await events(again)).events.map(({ id }) => id);
  expect(kept).toEqual(expect.arrayContaining(answered));
  expect(kept).not.toContain('evt_half');
  expect(await send(again, { id: answered[0] ?? '' })).toBe(200);
  expect(await send(again, { id: 'evt_new', version: 99 })).toBe(201);
  await end(again.child, 'SIGTERM');
  expect(again.child.exitCode).toBe(0);

  const third = await start();
  expect(await order(third)).toMatchObject({ version: 99 });
});

test('the page shows the events, whatever they contain', async () => {
  const consumer = await start();
  await send(consumer, { id: 'evt_<b>1' });
  const page = await (await fetch(consumer.url)).text();
  expect(page).toContain('evt_&#60;b&#62;1');
  expect(page).not.toContain('<b>');
});
