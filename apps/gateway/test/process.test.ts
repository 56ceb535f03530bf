import { randomUUID } from 'node:crypto';
import { createLifecycle } from '@payonce/core/runtime/lifecycle';
import { createLog } from '@payonce/core/runtime/log';
import { eventually } from '@payonce/testkit/machine/poll';
import { notify, type Posted } from '@payonce/testkit/sending/notify';
import { createSender } from '@payonce/testkit/sending/sender';
import { freshDatabase } from '@payonce/testkit/stores/database';
import { startOwnRedis } from '@payonce/testkit/stores/redis-server';
import { inSession } from '@payonce/testkit/stores/sessions';
import { runMigrations } from 'bullmq';
import { afterAll, expect, inject, onTestFinished, test } from 'vitest';
import { readConfig } from '../src/config.js';
import { start as startGateway } from '../src/start.js';
import { aPayment, makeProviders } from './harness.js';

const PASSWORD = randomUUID();
const sender = createSender();
const providers = await makeProviders();

afterAll(() => sender.close());

/** The gateway as `main.ts` starts it, on a separate Redis, with a standby if it gets one. */
async function start(env: Record<string, string> = {}) {
  const redis = await startOwnRedis({ requirepass: PASSWORD });
  onTestFinished(() => redis.remove());
  const lines: string[] = [];
  const log = createLog({ name: 'gateway' }, { write: (line) => lines.push(line) });
  const lifecycle = createLifecycle(log);
  onTestFinished(() => lifecycle.stop());
  const config = readConfig({
    PAYONCE_PORT: '0',
    PAYONCE_PRIVATE_PORT: '0',
    PAYONCE_CHANNELS_FILE: providers.channelsFile,
    REDIS_URL: `redis://:${PASSWORD}@${new URL(redis.url).host}`,
    ...env,
  });
  const { port, privatePort } = await startGateway(config, lifecycle, log);
  const privately = (path: string) => fetch(`http://127.0.0.1:${privatePort}${path}`);
  return { redis, lines, lifecycle, port, privatePort, privately };
}

function pay(port: number): Promise<Posted> {
  const signed = providers.signers['sim-alipay'].payment(aPayment());
  return notify(sender, `http://127.0.0.1:${port}`, ['alipay', 'sim-alipay'], signed);
}

test('one line has the ports, and no line a password', async () => {
  const { lines, port, privatePort } = await start();
  const listening = lines
    .map((line) => JSON.parse(line))
    .find(({ msg }) => msg === 'process.started');
  expect(listening).toMatchObject({ host: '127.0.0.1', port, privatePort, level: 'info' });
  expect(lines.join('')).not.toContain(PASSWORD);
});

test('it is alive before it is ready, ready only with a durable queue, and names the part that is not', async () => {
  const { redis, privately, port } = await start();
  expect((await privately('/livez')).status).toBe(200);
  await eventually(async () => expect((await privately('/readyz')).status).toBe(200));
  expect((await pay(port)).status).toBe(200);
  await redis.kill();
  await eventually(async () => expect((await privately('/readyz')).status).toBe(503));
  const state = await (await privately('/readyz')).json();
  expect(state).toMatchObject({ ready: false, parts: { queue: expect.stringMatching(/^down: /) } });
  expect((await privately('/livez')).status).toBe(200);
});

/** A separate database with the queue's schema. */
async function standby(): Promise<Record<string, string>> {
  const postgresUrl = inject('postgresUrl');
  const { url, drop } = await freshDatabase({ postgresUrl, templateDatabase: null });
  onTestFinished(drop);
  await inSession(url, (session) => runMigrations(session, 'payonce_queue'));
  return { PAYONCE_QUEUE_DATABASE_URL: url };
}

test('with a standby it stays ready without Redis, and shows which store it uses', async () => {
  const { redis, privately, port, lines } = await start(await standby());
  await eventually(async () =>
    expect(await (await privately('/readyz')).json()).toEqual({
      ready: true,
      parts: { queue: 'ready', redis: 'ready', postgres: 'ready' },
    }),
  );
  expect((await pay(port)).status).toBe(200);
  await redis.kill();
  for (let sent = 0; sent < 3; sent += 1) expect((await pay(port)).status).toBe(200);
  await eventually(async () => {
    const state = await privately('/readyz');
    expect(state.status).toBe(200);
    expect(await state.json()).toMatchObject({
      parts: { queue: 'ready', redis: expect.stringMatching(/^down: /), postgres: 'ready' },
    });
  });
  const text = await (await privately('/metrics')).text();
  for (const line of [
    'payonce_gateway_queued_total{queue="redis",process="gateway"} 1',
    'payonce_gateway_queued_total{queue="postgres",process="gateway"} 3',
    'payonce_gateway_queue_switches_total{queue="postgres",process="gateway"} 1',
    'payonce_gateway_queue_current{queue="postgres",process="gateway"} 1',
    'payonce_gateway_queue_ready{queue="redis",process="gateway"} 0',
    'payonce_gateway_queue_ready{queue="postgres",process="gateway"} 1',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
  expect(text).not.toContain('payonce_gateway_queue_current{queue="redis"');
  expect(lines.filter((line) => line.includes('queue.standby_took_over'))).toHaveLength(1);
  expect(lines.join()).not.toContain('PAYONCE_QUEUE_DATABASE_URL');
});

test('without a standby it logs the consequence at boot', async () => {
  const { lines } = await start();
  const warnings = lines.filter((line) => line.includes('queue.standby_missing'));
  expect(warnings).toHaveLength(1);
});

test('metrics are on the private port, with the expiry of each certificate', async () => {
  const { privately, port } = await start();
  await eventually(async () => expect((await privately('/readyz')).status).toBe(200));
  expect((await pay(port)).body).toBe('success');
  const text = await (await privately('/metrics')).text();
  expect(text).toContain('payonce_gateway_accepted_total{provider="alipay",channel="sim-alipay"');
  expect(text).toContain('payonce_gateway_queue_ready{queue="redis",process="gateway"} 1');
  expect(text).toMatch(
    /payonce_gateway_key_expiry_timestamp_seconds\{channel="sim-wechat",key="[^"]+",process="gateway"\} \d{10}/,
  );
  expect((await privately('/notify/alipay/sim-alipay')).status).toBe(404);
});

test('requests beyond the limit get an immediate 503, and the rest is accepted', async () => {
  const { redis, privately, port } = await start({ PAYONCE_GATEWAY_MAX_IN_FLIGHT: '3' });
  await eventually(async () => expect((await privately('/readyz')).status).toBe(200));
  redis.suspend();
  const replies: (number | null)[] = [];
  const sent = Array.from({ length: 10 }, () =>
    pay(port).then(({ status, body }) => {
      replies.push(status);
      expect(body).toBe(status === 200 ? 'success' : 'fail');
    }),
  );
  await eventually(() => expect(replies).toEqual(Array.from({ length: 7 }, () => 503)));
  expect(await (await privately('/metrics')).text()).toMatch(
    /payonce_gateway_in_flight\{[^}]*\} 3\n/,
  );
  redis.resume();
  await Promise.all(sent);
  expect(replies.filter((status) => status === 200)).toHaveLength(3);
});

test('a pending request gets its reply before the gateway ends', async () => {
  const { redis, privately, port, lifecycle } = await start();
  await eventually(async () => expect((await privately('/readyz')).status).toBe(200));
  redis.suspend();
  const reply = pay(port);
  await eventually(async () =>
    expect(await (await privately('/metrics')).text()).toMatch(
      /payonce_gateway_received_total\{[^}]*\} 1/,
    ),
  );
  const stopped = lifecycle.stop();
  await eventually(() => expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow());
  redis.resume();
  expect(await reply).toMatchObject({ status: 200, body: 'success' });
  await stopped;
  await expect(privately('/livez')).rejects.toThrow();
});
