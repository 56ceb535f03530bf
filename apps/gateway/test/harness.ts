import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Channels, loadChannels } from '@payonce/core/config/channels';
import { secretReader } from '@payonce/core/config/secrets';
import { openBullQueue } from '@payonce/core/queue/bull-queue';
import type { NotificationJob } from '@payonce/core/queue/job';
import type { NotificationQueue } from '@payonce/core/queue/notification-queue';
import { openNotificationQueue } from '@payonce/core/queue/open-queue';
import { type QueueSettings, readQueueSettings } from '@payonce/core/queue/queue-settings';
import { shardedQueue } from '@payonce/core/queue/sharded-queue';
import { queuesOf } from '@payonce/core/queue/shards';
import { type Clock, systemClock } from '@payonce/core/runtime/clock';
import { createLog } from '@payonce/core/runtime/log';
import { createMetrics, type Metrics } from '@payonce/core/runtime/metrics';
import type { SimulatedSigners } from '@payonce/testkit/channels/channels';
import { testChannels } from '@payonce/testkit/channels/test-channels';
import { eventually } from '@payonce/testkit/machine/poll';
import type { FastifyInstance } from 'fastify';
import { afterAll, expect } from 'vitest';
import { buildApp } from '../src/app.js';
import { createGatewayMetrics } from '../src/metrics/gateway-metrics.js';
import { createReportCounts, type ReportCounts } from '../src/reports/report-counts.js';

export interface Providers {
  readonly channelsFile: string;
  readonly channels: Channels;
  readonly signers: SimulatedSigners;
}

/** Three channels with keys generated for the calling test file, and the providers' signers. */
export async function makeProviders(): Promise<Providers> {
  const folder = mkdtempSync(join(tmpdir(), 'payonce-gateway-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const { channelsFile, signers } = await testChannels(folder);
  const channels = loadChannels(readFileSync(channelsFile, 'utf8'), {
    production: false,
    readSecret: secretReader({}, dirname(channelsFile)),
  });
  return { channelsFile, channels, signers };
}

export interface Gateway {
  readonly app: FastifyInstance;
  readonly queue: NotificationQueue;
  readonly metrics: Metrics;
  readonly counts: ReportCounts;
  /** One JSON line per entry, every level. */
  readonly logLines: string[];
  close(): Promise<void>;
}

export function redisSettings(url: string): QueueSettings {
  const env = { REDIS_URL: url, PAYONCE_QUEUE_PREFIX: `gateway-test-${randomUUID()}` };
  return queuesOf(readQueueSettings(env))[0];
}

/** The whole gateway except its ports, on a real queue. */
export function makeGateway(
  settings: QueueSettings,
  { channels }: Providers,
  changes: Partial<Parameters<typeof buildApp>[0]> & { readonly clock?: Clock } = {},
): Gateway {
  const { clock = systemClock, ...options } = changes;
  const logLines: string[] = [];
  const log = createLog(
    { name: 'gateway', level: 'trace' },
    { write: (line) => logLines.push(line) },
  );
  const queue = openNotificationQueue(settings, log);
  const metrics = createMetrics('gateway');
  const counts = createReportCounts(() => {});
  const app = buildApp(
    { channels: () => channels, trustedProxies: [], refusedPerMinute: 0, ...options },
    {
      queue: shardedQueue([queue], [queue]),
      metrics: createGatewayMetrics(metrics),
      log,
      clock,
      counts,
    },
  );
  return {
    app,
    queue,
    metrics,
    counts,
    logLines,
    async close() {
      await app.close();
      await queue.close();
    },
  };
}

export async function untilReady(queue: NotificationQueue): Promise<void> {
  await eventually(() => expect(queue.state).toEqual({ state: 'ready' }));
}

/** The data of every job in the queue, in any state. */
export async function jobsIn(settings: QueueSettings): Promise<NotificationJob[]> {
  const queue = openBullQueue(settings);
  try {
    const jobs = await queue.getJobs(['wait', 'active', 'delayed', 'completed', 'failed']);
    return jobs.map(({ data }) => data);
  } finally {
    await queue.close();
  }
}

export function aPayment() {
  const number = `${Date.now()}${Math.floor(Math.random() * 1e6)}`;
  return {
    orderNumber: `O${number}`,
    trade: `42${number}`,
    amount: 8_888n,
    paidAt: new Date('2026-11-02T08:00:00Z'),
  };
}

export function portOf({ app }: Gateway): number {
  return (app.server.address() as AddressInfo).port;
}

export interface Post {
  readonly body?: Buffer | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: 'POST' | 'GET' | 'PUT' | 'DELETE' | 'HEAD' | 'OPTIONS';
}

/** The reply, without parts that differ from reply to reply. */
export async function sendTo(
  { app }: Gateway,
  url: string,
  { body, headers = {}, method = 'POST' }: Post = {},
) {
  const response = await app.inject({
    url,
    method,
    headers: { ...headers },
    ...(body !== undefined && { payload: body }),
  });
  return {
    status: response.statusCode,
    type: response.headers['content-type'],
    body: response.body,
  };
}

/** Bad input gets only a refusal: no job, no log line above `info`. */
export async function expectOnlyRefusals(
  { logLines }: Gateway,
  settings: QueueSettings,
): Promise<void> {
  expect(await jobsIn(settings)).toEqual([]);
  expect(logLines.filter((line) => /"level":"(warn|error|fatal)"/.test(line))).toEqual([]);
}
