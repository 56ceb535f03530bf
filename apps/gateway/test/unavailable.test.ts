import { eventually } from '@payonce/testkit/machine/poll';
import { freshDatabase } from '@payonce/testkit/stores/database';
import { type OwnRedis, startOwnRedis } from '@payonce/testkit/stores/redis-server';
import { inSession } from '@payonce/testkit/stores/sessions';
import { runMigrations } from 'bullmq';
import { expect, inject, onTestFinished, test } from 'vitest';
import {
  aPayment,
  type Gateway,
  jobsIn,
  makeGateway,
  makeProviders,
  redisSettings,
  untilReady,
} from './harness.js';

const providers = await makeProviders();

async function ownRedis(settings?: Record<string, string>): Promise<OwnRedis> {
  const redis = await startOwnRedis(settings);
  onTestFinished(() => redis.remove());
  return redis;
}

function gatewayOn(settings: Parameters<typeof makeGateway>[0]): Gateway {
  const gateway = makeGateway(settings, providers);
  onTestFinished(() => gateway.close());
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
  const postgresUrl = inject('postgresUrl');
  const { url, away, drop } = await freshDatabase({ postgresUrl, templateDatabase: null });
  onTestFinished(drop);
  const settings = { kind: 'postgres', url, schema: 'payonce_queue' } as const;
  await inSession(url, (session) => runMigrations(session, settings.schema));

  const gateway = gatewayOn(settings);
  await untilReady(gateway.queue);
  expect((await sendAll(gateway)).map(({ status }) => status)).toEqual(STATUSES_ACCEPTED);
  expect(await jobsIn(settings)).toHaveLength(3);

  await away(true);
  await eventually(() => expect(gateway.queue.state).toMatchObject({ state: 'down' }));
  expect(await sendAll(gateway)).toEqual(UNAVAILABLE);
  await away(false);
  await untilReady(gateway.queue);
  expect((await sendAll(gateway)).map(({ status }) => status)).toEqual(STATUSES_ACCEPTED);
});
