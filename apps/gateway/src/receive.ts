import type { Channel } from '@payonce/core/config/channels';
import { jobIdFor, type NewJob, type NotificationJob, queuedBody } from '@payonce/core/queue/job';
import type { ShardedQueue } from '@payonce/core/queue/sharded-queue';
import { REPLY_DEADLINE_MS } from '@payonce/core/queue/time-limits';
import type { Clock } from '@payonce/core/runtime/clock';
import type { Log } from '@payonce/core/runtime/log';
import type {
  NotificationRequest,
  ReceiveOutcome,
  Verification,
} from '@payonce/providers/provider';
import type { SkewWatch } from './clock-skew.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import type { Tally } from './tally.js';

export interface ReceiveDeps {
  readonly queue: Pick<ShardedQueue, 'enqueue'>;
  readonly metrics: GatewayMetrics;
  readonly log: Log;
  readonly clock: Clock;
  readonly watchSkew: SkewWatch;
  readonly tally: Tally;
}

/** One request as received from the socket. */
export interface RawRequest {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** For the log only. */
  readonly ip: string;
}

/** Verifies, queues and decides the reply. Never throws: every fault has a reply. */
export async function receive(
  deps: ReceiveDeps,
  channel: Channel,
  raw: RawRequest,
): Promise<ReceiveOutcome> {
  const startedAt = performance.now();
  const tookMs = () => performance.now() - startedAt;
  const { metrics, tally, log } = deps;
  const labels = { provider: channel.provider.id, channel: channel.key };
  metrics.received.inc(labels);

  const request = requestFor(channel, raw, deps.clock());
  const verification = channel.provider.verify(request);
  if (!verification.ok) {
    const { reason } = verification;
    metrics.rejected.inc({ ...labels, reason });
    tally.rejected(request.receivedAt);
    if (reason === 'signature_probe') metrics.probes.inc(labels);
    if (reason === 'unknown_key') metrics.unknownKeys.inc(labels);
    // Normal traffic from the internet: never above `info`.
    log.info({ ...labels, reason, ip: raw.ip }, 'refused');
    return { outcome: 'rejected', reason };
  }
  const { notificationId, digest, shardKey, sentAt } = verification;
  if (sentAt) deps.watchSkew(labels, sentAt, request.receivedAt);
  const end = metrics.enqueueSeconds.startTimer();
  try {
    const job = jobFor(channel, request, verification);
    const store = await deps.queue.enqueue(job, shardKey, REPLY_DEADLINE_MS - tookMs());
    end({ result: 'ok' });
    metrics.queued.inc({ queue: store });
  } catch (err) {
    end({ result: 'failed' });
    metrics.unavailable.inc(labels);
    tally.unavailable(request.receivedAt, tookMs());
    // The queue's failure is logged as an error, once; this is one of its many consequences.
    log.warn({ ...labels, err, notificationId }, 'not queued, so the provider must send it again');
    return { outcome: 'unavailable' };
  }
  metrics.accepted.inc(labels);
  tally.acknowledged(request.receivedAt, tookMs(), { ...labels, notificationId, digest });
  log.debug({ ...labels, notificationId }, 'accepted');
  return { outcome: 'accepted' };
}

/** With only the headers that verification uses. */
function requestFor(
  { provider }: Channel,
  { body, headers }: RawRequest,
  receivedAt: Date,
): NotificationRequest {
  const names = [...provider.signatureHeaders, ...provider.judgedHeaders];
  return { body, headers: only(names, headers), receivedAt };
}

function only(names: readonly string[], headers: RawRequest['headers']): Record<string, string> {
  const found = names.flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return Object.fromEntries(found);
}

function jobFor(
  channel: Channel,
  request: NotificationRequest,
  verified: Extract<Verification, { ok: true }>,
): NewJob {
  const data: NotificationJob = {
    version: 3,
    provider: channel.provider.id,
    channel: channel.key,
    notificationId: verified.notificationId,
    receivedAt: request.receivedAt.toISOString(),
    ...queuedBody(request.body),
    // The headers with which the worker verifies again.
    headers: only(channel.provider.signatureHeaders, request.headers),
  };
  return { id: jobIdFor(data, verified.digest), data };
}
