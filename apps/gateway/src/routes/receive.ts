import type { Channel } from '@payonce/core/config/channels';
import { jobIdFor, type NewJob, type NotificationJob, queuedBody } from '@payonce/core/queue/job';
import type { ShardedQueue } from '@payonce/core/queue/sharded-queue';
import { REPLY_DEADLINE_MS } from '@payonce/core/queue/time-limits';
import type { Clock } from '@payonce/core/runtime/clock';
import type { Log } from '@payonce/core/runtime/log';
import { MOST_ORDER_NUMBER_CHARACTERS } from '@payonce/providers/event';
import type { NotificationRequest, ReceiveOutcome, Verified } from '@payonce/providers/provider';
import type { SkewWatch } from '../metrics/clock-skew.js';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import type { Ticket } from '../plugins/work-budget.js';
import type { ReportCounts } from '../reports/report-counts.js';

export interface ReceiveDeps {
  readonly queue: Pick<ShardedQueue, 'enqueue'>;
  readonly metrics: GatewayMetrics;
  readonly log: Log;
  readonly clock: Clock;
  readonly watchSkew: SkewWatch;
  readonly counts: ReportCounts;
}

/** One request as received from the socket. */
export interface RawRequest {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** For the log only. */
  readonly ip: string;
  readonly ticket: Ticket;
}

/** Verifies, queues and decides the reply. Never throws: every fault has a reply. */
export async function receive(
  deps: ReceiveDeps,
  channel: Channel,
  raw: RawRequest,
): Promise<ReceiveOutcome> {
  const startedAt = performance.now();
  const tookMs = () => performance.now() - startedAt;
  const { metrics, counts, log } = deps;
  const labels = { provider: channel.provider.id, channel: channel.key };
  metrics.received.inc(labels);

  const request = requestFor(channel, raw, deps.clock());
  const verification = channel.provider.verify(request);
  const line = { ...labels, bytes: raw.body.length, verifyMs: inTenths(tookMs()) };
  if (!verification.ok) {
    const { reason, signedDigest } = verification;
    if (signedDigest !== undefined) raw.ticket.isSigned(signedDigest);
    metrics.rejected.inc({ ...labels, reason });
    counts.rejected(request.receivedAt);
    if (reason === 'signature_probe') metrics.probes.inc(labels);
    if (reason === 'unknown_key') metrics.unknownKeys.inc(labels);
    // Normal traffic from the internet: never above `info`.
    log.info({ ...line, outcome: 'rejected', reason, ip: raw.ip }, 'notification.received');
    return { outcome: 'rejected', reason };
  }
  const { notificationId, digest, shardKey, sentAt } = verification;
  raw.ticket.isGenuine(digest);
  if (sentAt) deps.watchSkew(labels, sentAt, request.receivedAt);
  const known = { ...line, notificationId, ...orderNumberOf(verification) };
  const end = metrics.enqueueSeconds.startTimer();
  let stored: { readonly store: string; readonly enqueueMs: number };
  try {
    const job = jobFor(channel, request, verification);
    const store = await deps.queue.enqueue(job, shardKey, REPLY_DEADLINE_MS - tookMs());
    stored = { store, enqueueMs: inTenths(end({ result: 'ok' }) * 1_000) };
    metrics.queued.inc({ queue: store });
  } catch (err) {
    const enqueueMs = inTenths(end({ result: 'failed' }) * 1_000);
    metrics.unavailable.inc(labels);
    counts.unavailable(request.receivedAt, tookMs());
    // The queue's failure is logged as an error, once; this is one of its many consequences.
    log.warn({ ...known, outcome: 'unavailable', err, enqueueMs }, 'notification.received');
    return { outcome: 'unavailable' };
  }
  metrics.accepted.inc(labels);
  counts.acknowledged(request.receivedAt, tookMs(), { ...labels, notificationId, digest });
  log.debug({ ...known, outcome: 'accepted', ...stored }, 'notification.received');
  return { outcome: 'accepted' };
}

/** For the log: milliseconds with one decimal. */
function inTenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** For the log. */
function orderNumberOf({
  shardKey,
  notificationId,
}: Pick<Verified, 'shardKey' | 'notificationId'>): { readonly orderNumber?: string } {
  return shardKey === notificationId
    ? {}
    : { orderNumber: shardKey.slice(0, MOST_ORDER_NUMBER_CHARACTERS) };
}

/** With only the headers that verification uses. */
function requestFor(
  { provider }: Channel,
  { body, headers }: RawRequest,
  receivedAt: Date,
): NotificationRequest {
  const names = [...provider.signatureHeaders, ...provider.gatewayOnlyHeaders];
  return { body, headers: only(names, headers), receivedAt };
}

function only(names: readonly string[], headers: RawRequest['headers']): Record<string, string> {
  const found = names.flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return Object.fromEntries(found);
}

function jobFor(channel: Channel, request: NotificationRequest, verified: Verified): NewJob {
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
