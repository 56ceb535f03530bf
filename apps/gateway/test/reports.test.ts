import { randomUUID } from 'node:crypto';
import type { QueueSettings } from '@payonce/core/queue/queue-settings';
import { type GatewayReport, gatewayReport } from '@payonce/core/queue/report';
import { openBullReportQueue, openReportQueue } from '@payonce/core/queue/report-queue';
import { systemClock } from '@payonce/core/runtime/clock';
import { createLog } from '@payonce/core/runtime/log';
import { createMetrics } from '@payonce/core/runtime/metrics';
import { eventually } from '@payonce/testkit/machine/poll';
import { type OwnRedis, startOwnRedis } from '@payonce/testkit/stores/redis-server';
import { beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import { createGatewayMetrics } from '../src/metrics/gateway-metrics.js';
import { startReports } from '../src/reports/reports.js';
import {
  aPayment,
  type Gateway,
  makeGateway,
  makeProviders,
  redisSettings,
  sendTo,
  untilReady,
} from './harness.js';

/** Reports have a separate Redis here, so that it can hang while notifications are taken. */

const SENT = 60;
/** Half of the time after which a report is abandoned: no reply waits for one. */
const REPLY_LIMIT_MS = 1_000;

const providers = await makeProviders();
let gateway: Gateway;
let redis: OwnRedis;
let settings: QueueSettings;

beforeEach(async () => {
  redis = await startOwnRedis();
  settings = redisSettings(redis.url);
  gateway = makeGateway(redisSettings(inject('redisUrl')), providers);
  onTestFinished(() => redis.remove());
  onTestFinished(() => gateway.close());
  await untilReady(gateway.queue);
});

function start() {
  const queue = openReportQueue([settings], () => true);
  const metrics = createMetrics('gateway');
  const reports = startReports({
    counts: gateway.counts,
    queue,
    describe: async () => ({ stores: [], channels: [], clockSkewSeconds: {} }),
    metrics: createGatewayMetrics(metrics),
    clock: systemClock,
    log: createLog({ name: 'test', level: 'silent' }),
  });
  const stop = async () => {
    await reports.stop();
    await queue.close();
  };
  onTestFinished(stop);
  return { metrics, stop };
}

async function sent(): Promise<GatewayReport[]> {
  const queue = openBullReportQueue(settings);
  try {
    const jobs = await queue.getJobs(['wait', 'active', 'completed']);
    return jobs.map(({ data }) => gatewayReport.parse(data));
  } finally {
    await queue.close();
  }
}

const copiesIn = (reports: readonly GatewayReport[]) =>
  reports.flatMap(({ copies }) => copies).reduce((sum, { count }) => sum + count, 0);

async function notify(): Promise<number> {
  const { body, headers } = providers.signers['sim-alipay'].payment(aPayment());
  const before = performance.now();
  const { status } = await sendTo(gateway, '/notify/alipay/sim-alipay', { body, headers });
  expect(status).toBe(200);
  return performance.now() - before;
}

test('acknowledgements are reported about once a second, refusals only as a sum', async () => {
  start();
  const { body, headers } = providers.signers['sim-alipay'].payment(aPayment());
  const url = '/notify/alipay/sim-alipay';
  for (let copy = 0; copy < 9; copy += 1) await sendTo(gateway, url, { body, headers });
  const forged = Buffer.from(body.toString().replace('total_amount=88.88', 'total_amount=0.01'));
  await sendTo(gateway, url, { body: forged, headers });
  await eventually(async () => expect(copiesIn(await sent())).toBe(9));
  const reports = await sent();
  const minutes = reports.flatMap((report) => report.minutes);
  expect(minutes.reduce((sum, { refused }) => sum + refused, 0)).toBe(1);
  expect(minutes.reduce((sum, { received }) => sum + received, 0)).toBe(10);
  expect(new Set(reports.map((report) => report.gateway)).size).toBe(1);
  expect(JSON.stringify(reports)).not.toMatch(/buyer|sign=/);
});

test('replies are as quick while reports hang, and their counts are sent afterwards, once', async () => {
  const { metrics } = start();
  await eventually(async () => expect(await sent()).not.toEqual([]));
  redis.suspend();
  const times: number[] = [];
  const failed = async () => {
    const text = await metrics.metrics();
    return /payonce_gateway_reports_total\{result="failed"[^}]*\} [1-9]/.test(text);
  };
  // Two seconds until a report is abandoned, and beyond.
  while (!(await failed()) || times.length < SENT) times.push(await notify());
  expect(Math.max(...times)).toBeLessThan(REPLY_LIMIT_MS);
  redis.resume();
  await eventually(async () => expect(copiesIn(await sent())).toBe(times.length));
});

test('a gateway that ends normally reports its remaining counts', async () => {
  const { stop } = start();
  await eventually(async () => expect(await sent()).not.toEqual([]));
  await notify();
  await stop();
  expect(copiesIn(await sent())).toBe(1);
});

test('while no worker takes them, reports do not fill the store', async () => {
  const queue = openReportQueue([settings], () => true);
  onTestFinished(() => queue.close());
  const state = { stores: [], channels: [], clockSkewSeconds: {} };
  const at = new Date().toISOString();
  const send = () =>
    queue.send({
      version: 1,
      reportId: randomUUID(),
      gateway: randomUUID(),
      startedAt: at,
      at,
      copies: [],
      minutes: [],
      state,
    });
  await eventually(send);
  let taken = 1;
  const fill = async () => {
    for (; taken < 1_000; taken += 1) await send();
  };
  await expect(fill()).rejects.toMatchObject({ code: 'queue_unavailable' });
  expect(taken).toBe(200);
});
