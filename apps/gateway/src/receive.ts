import type { Clock } from '@payonce/core/clock';
import type { Channel } from '@payonce/core/config/channels';
import type { Log } from '@payonce/core/log';
import type {
  NotificationRequest,
  ReceiveOutcome,
  Verification,
} from '@payonce/core/providers/provider';
import { type NotificationJob, queuedBody } from '@payonce/core/queue/job';
import type { ShardedQueue } from '@payonce/core/queue/sharded-queue';
import type { SkewWatch } from './clock-skew.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import type { Tally } from './tally.js';

/**
 * From the last byte of the request to the reply. WeChat Pay waits 5 s, one of its articles says 3; Alipay
 * does not say. What is left covers the network.
 */
const DEADLINE_MS = 2_000;

export interface ReceiveDeps {
  readonly queue: Pick<ShardedQueue, 'enqueue'>;
  readonly metrics: GatewayMetrics;
  readonly log: Log;
  readonly clock: Clock;
  readonly watchSkew: SkewWatch;
  readonly tally: Tally;
}

/** One request as it came from the socket. */
export interface RawRequest {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** For the log alone. */
  readonly ip: string;
}

/** Verify, queue, and say what to reply. Never throws: every fault has a reply. */
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
    tally.refused(request.receivedAt);
    if (reason === 'signature_probe') metrics.probes.inc(labels);
    if (reason === 'unknown_key') metrics.unknownKeys.inc(labels);
    // What the internet sends on a normal day: never above `info`.
    log.info({ ...labels, reason, ip: raw.ip }, 'refused');
    return { outcome: 'rejected', reason };
  }
  const { notificationId, digest, shardKey, sentAt } = verification;
  if (sentAt) deps.watchSkew(labels, sentAt, request.receivedAt);
  const end = metrics.enqueueSeconds.startTimer();
  try {
    const job = jobFor(channel, request, verification);
    const store = await deps.queue.enqueue(job, shardKey, DEADLINE_MS - tookMs());
    end({ result: 'ok' });
    metrics.queued.inc({ queue: store });
  } catch (err) {
    end({ result: 'failed' });
    metrics.unavailable.inc(labels);
    tally.unavailable(request.receivedAt, tookMs());
    // The queue's own fall is logged as an error, once; this is one of many that follow from it.
    log.warn({ ...labels, err, notificationId }, 'not queued, the provider has to send it again');
    return { outcome: 'unavailable' };
  }
  metrics.accepted.inc(labels);
  tally.acknowledged(request.receivedAt, tookMs(), { ...labels, notificationId, digest });
  log.debug({ ...labels, notificationId }, 'accepted');
  return { outcome: 'accepted' };
}

/** The headers that verification needs and no others: the worker verifies the same ones again. */
function requestFor(channel: Channel, raw: RawRequest, receivedAt: Date): NotificationRequest {
  const headers = channel.provider.signatureHeaders.flatMap((name) => {
    const value = raw.headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return { body: raw.body, headers: Object.fromEntries(headers), receivedAt };
}

function jobFor(
  channel: Channel,
  request: NotificationRequest,
  verified: Extract<Verification, { ok: true }>,
): NotificationJob {
  return {
    version: 1,
    provider: channel.provider.id,
    channel: channel.key,
    notificationId: verified.notificationId,
    digest: verified.digest,
    receivedAt: request.receivedAt.toISOString(),
    ...queuedBody(request.body),
    headers: request.headers as Readonly<Record<string, string>>,
  };
}
