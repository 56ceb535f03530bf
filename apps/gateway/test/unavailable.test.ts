import { randomBytes } from 'node:crypto';
import { eventually } from '@payonce/testkit/machine/poll';
import { type OwnRedis, startOwnRedis } from '@payonce/testkit/stores/redis-server';
import { runMigrations } from 'bullmq';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import {
  aPayment,
  type Gateway,
  jobsIn,
  makeGateway,
  makeProviders,
  type Providers,
  redisSettings,
  untilReady,
} from './harness.js';

let providers: Providers;
const cleanups: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  providers = await makeProviders();
});
afterAll(() => providers.remove());
afterEach(async () => {
  for (let cleanup = cleanups.pop(); cleanup; cleanup = cleanups.pop()) await cleanup();
});

async function ownRedis(settings?: Record<string, string>): Promise<OwnRedis> {
  const redis = await startOwnRedis(settings);
  cleanups.push(() => redis.remove());
  return redis;
}

function gatewayOn(settings: Parameters<typeof makeGateway>[0]): Gateway {
  const gateway = makeGateway(settings, providers);
  cleanups.push(() => gateway.close());
  return gateway;
}

/** One genuine notification of each provider, with its reply and duration. */
async function sendAll({ app }: Gateway) {
  const { signers } = providers;
  return Promise.all(
    [
      ['/notify/alipay/sim-alipay', signers['sim-alipay']] as const,
      ['/notify/wechatpay/sim-wechat', signers['sim-wechat']] as const,
      ['/notify/wechatpay-v2/sim-wechat-v2', signers['sim-wechat-v2']] as const,
    ].map(async ([url, signer]) => {
      const { body, headers } = signer.payment(aPayment());
      const before = performance.now();
      const response = await app.inject({ url, method: 'POST', headers, payload: body });
      return {
        status: response.statusCode,
        body: response.body,
        tookMs: performance.now() - before,
      };
    }),
  );
}

const UNAVAILABLE = [
  expect.objectContaining({ status: 503, body: 'fail' }),
  expect.objectContaining({ status: 503, body: '{"code":"FAIL","message":"not accepted"}' }),
  expect.objectContaining({
    status: 503,
    body: '<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[FAIL]]></return_msg></xml>',
  }),
];
const STATUSES_ACCEPTED = [200, 204, 200];

test('nothing is acknowledged on a Redis that may lose it', async () => {
  const redis = await ownRedis({ appendfsync: 'everysec' });
  const settings = redisSettings(redis.url);
  const gateway = gatewayOn(settings);
  await eventually(() => expect(gateway.queue.state).toMatchObject({ state: 'down' }));
  expect(await sendAll(gateway)).toEqual(UNAVAILABLE);
  expect(await jobsIn(settings)).toEqual([]);
});

test('a dead Redis is 503 at once, and once it is back notifications are accepted', async () => {
  const redis = await ownRedis();
  const settings = redisSettings(redis.url);
  const gateway = gatewayOn(settings);
  await untilReady(gateway.queue);
  await redis.kill();
  const replies = await sendAll(gateway);
  expect(replies).toEqual(UNAVAILABLE);
  for (const { tookMs } of replies) expect(tookMs).toBeLessThan(1_000);
  await redis.start();
  await untilReady(gateway.queue);
  expect((await sendAll(gateway)).map(({ status }) => status)).toEqual(STATUSES_ACCEPTED);
  expect(await jobsIn(settings)).toHaveLength(3);
});

test('a Redis that hangs is 503 within the deadline of two seconds', async () => {
  const redis = await ownRedis();
  const gateway = gatewayOn(redisSettings(redis.url));
  await untilReady(gateway.queue);
  redis.suspend();
  const replies = await sendAll(gateway);
  expect(replies).toEqual(UNAVAILABLE);
  for (const { tookMs } of replies) {
    expect(tookMs).toBeGreaterThan(1_500);
    expect(tookMs).toBeLessThan(2_500);
  }
  redis.resume();
});

test('a fault of the store is never logged with the data to be stored', async () => {
  const redis = await ownRedis();
  const gateway = gatewayOn(redisSettings(redis.url));
  await untilReady(gateway.queue);
  await redis.set('maxmemory', '1');
  expect(await sendAll(gateway)).toEqual(UNAVAILABLE);
  const log = gateway.logLines.join('');
  expect(log).toContain('"outcome":"unavailable"');
  expect(log).toContain('OOM');
  expect(log).not.toContain('bodyBase64');
});

test('the same with PostgreSQL alone: accepted when it is durable, 503 while it cannot be reached', async () => {
  const name = `gateway_test_${randomBytes(6).toString('hex')}`;
  const url = new URL(inject('postgresUrl'));
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  cleanups.push(() => admin.end());
  await admin.query(`CREATE DATABASE ${name}`);
  cleanups.push(() => admin.query(`DROP DATABASE ${name} WITH (FORCE)`));
  url.pathname = `/${name}`;
  const settings = { kind: 'postgres', url: url.href, schema: 'payonce_queue' } as const;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await runMigrations(client, settings.schema);
  await client.end();

  const gateway = gatewayOn(settings);
  await untilReady(gateway.queue);
  expect((await sendAll(gateway)).map(({ status }) => status)).toEqual(STATUSES_ACCEPTED);
  expect(await jobsIn(settings)).toHaveLength(3);

  await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
    name,
  ]);
  await eventually(() => expect(gateway.queue.state).toMatchObject({ state: 'down' }));
  expect(await sendAll(gateway)).toEqual(UNAVAILABLE);
  await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  await untilReady(gateway.queue);
  expect((await sendAll(gateway)).map(({ status }) => status)).toEqual(STATUSES_ACCEPTED);
});
