import type { Channels } from '@payonce/core/config/channels';
import { openBullQueue } from '@payonce/core/queue/bull-queue';
import { jobIdFor, type NewJob, type NotificationJob, queuedBody } from '@payonce/core/queue/job';
import { queuedJob } from '@payonce/core/queue/job-options';
import { readQueueSettings } from '@payonce/core/queue/queue-settings';
import { openBullReportQueue } from '@payonce/core/queue/report-queue';
import { queuesOf } from '@payonce/core/queue/shards';
import type { Redis } from 'ioredis';
import type { WireRequest } from './requests.js';
import type { Target } from './stores.js';

const CHUNK = 1_000;
const POLL_MS = 10;
/** The first tenth measures compilers, the last one an emptying queue. */
const COUNTED = { from: 0.1, to: 0.9 };
const START_LIMIT_MS = 30_000;

/** In the form in which the gateway creates them. */
export function jobsOf(requests: readonly WireRequest[], channels: Channels): NewJob[] {
  const channel = channels.get('sim-alipay');
  if (!channel) throw new Error('the simulated channels have no sim-alipay');
  return requests.map(({ body }) => {
    const bytes = Buffer.from(body, 'utf8');
    const receivedAt = new Date();
    const verification = channel.provider.verify({ body: bytes, headers: {}, receivedAt });
    if (!verification.ok) throw new Error(`a signed request is refused: ${verification.reason}`);
    const data: NotificationJob = {
      version: 3,
      provider: channel.provider.id,
      channel: channel.key,
      notificationId: verification.notificationId,
      receivedAt: receivedAt.toISOString(),
      ...queuedBody(bytes),
      headers: {},
    };
    return { id: jobIdFor(data, verification.digest), data };
  });
}

export async function fill(target: Target, jobs: readonly NewJob[]): Promise<void> {
  const [settings] = queuesOf(readQueueSettings({ REDIS_URL: target.redisUrl }));
  const queue = openBullQueue(settings);
  for (let start = 0; start < jobs.length; start += CHUNK) {
    await queue.addBulk(jobs.slice(start, start + CHUNK).map(queuedJob));
  }
  await queue.close();
}

/**
 * Removes the reports of a gateway that queued a backlog: otherwise a worker would process them
 * with the backlog.
 */
export async function dropReports(target: Target): Promise<void> {
  const [settings] = queuesOf(readQueueSettings({ REDIS_URL: target.redisUrl }));
  const queue = openBullReportQueue(settings);
  await queue.obliterate({ force: true });
  await queue.close();
}

/** Unfinished jobs of Redis: waiting, active, or failed. */
export async function remaining(redis: Redis): Promise<number> {
  const counts = await Promise.all([
    redis.llen('payonce:notifications:wait'),
    redis.llen('payonce:notifications:active'),
    redis.zcard('payonce:notifications:delayed'),
    redis.zcard('payonce:notifications:failed'),
  ]);
  return counts.reduce((sum, count) => sum + count);
}

/**
 * Watches until nine tenths of a backlog of `total` are done or the time is over.
 * @returns jobs per second, from the first tenth on (or from the first progress, if that takes too
 * long)
 */
export async function drainRate(redis: Redis, total: number, limitMs: number): Promise<number> {
  const startBy = performance.now() + START_LIMIT_MS;
  let begun: { at: number; done: number } | null = null;
  let counted: { at: number; done: number } | null = null;
  for (;;) {
    const done = total - (await remaining(redis));
    const at = performance.now();
    if (!begun && done > 0) begun = { at, done };
    if (!begun && at > startBy) throw new Error('no job of the backlog was done');
    if (begun && !counted && (done >= total * COUNTED.from || at - begun.at > limitMs / 5)) {
      counted = { at, done };
    }
    const over = begun !== null && at - begun.at > limitMs;
    if (counted && (done >= total * COUNTED.to || over) && at > counted.at) {
      return (done - counted.done) / ((at - counted.at) / 1_000);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
