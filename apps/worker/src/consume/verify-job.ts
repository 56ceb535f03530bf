import type { Channels } from '@payonce/core/config/channels';
import { bodyOf, jobIdFor, type NotificationJob } from '@payonce/core/queue/job';
import type { JobVerdict } from '@payonce/orders/notifications/dead-letters/redrive';
import type { DeadLetterReason } from '@payonce/orders/notifications/records/dead-letter';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import type {
  ContentIdentity,
  NotificationRequest,
  PaymentProvider,
  RejectReason,
  Verified,
} from '@payonce/providers/provider';
import { z } from 'zod';

/** Twice the gateway's largest body in base64: no gateway writes a larger job. */
const BODY_MAX_CHARACTERS = 720_000;

const current = z.strictObject({
  version: z.literal(3),
  provider: z.string().min(1).max(40),
  channel: z.string().min(1).max(40),
  notificationId: z.string().min(1).max(128),
  receivedAt: z.iso.datetime(),
  bodyText: z.string().max(BODY_MAX_CHARACTERS).exactOptional(),
  bodyBase64: z.string().max(BODY_MAX_CHARACTERS).exactOptional(),
  headers: z.record(z.string().max(100), z.string().max(8_192)),
}) satisfies z.ZodType<Omit<NotificationJob, 'provider'> & { readonly provider: string }>;

/** From gateways of the previous release, in queues and dead letters. */
const former = current.extend({ version: z.literal(2) });

/** From gateways before version 2: it contained the whole digest. */
const first = current.extend({
  version: z.literal(1),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
});

const notificationJob = z.discriminatedUnion('version', [current, former, first]);

/**
 * Verifies the job's origin again, from its bytes alone, and decodes it. Redis is not a trust
 * boundary: an attacker who can write a job still cannot create a paid order. Pure. Freshness and
 * retired keys are judged by the time of receipt, so the verdict equals the gateway's, even hours
 * later.
 * @param data the job's data from the queue, unchecked
 * @param jobId its ID in the queue
 */
export function verifyJob(data: unknown, jobId: string, channels: Channels): JobVerdict {
  const job = notificationJob.safeParse(data);
  const body = job.success ? bodyOf(job.data) : null;
  if (!job.success || body === null) return failed('malformed_job');

  const channel = channels.get(job.data.channel);
  if (channel === undefined || channel.provider.id !== job.data.provider) {
    return failed('unknown_channel');
  }

  const { headers } = job.data;
  const receivedAt = new Date(job.data.receivedAt);
  const { provider } = channel;
  const isCurrent = job.data.version === 3;
  const request = { body, headers, receivedAt };
  const verification = provider.verify(request, isCurrent ? 'text' : 'former');
  if (!verification.ok) {
    return failed('verification_failed', verification.reason);
  }
  if (!isOf(verification, job.data, jobId)) return failed('identity_mismatch');
  const said = isCurrent
    ? open(provider, verification)
    : openFormer(provider, request, verification);
  if (said === null) return failed('undecodable');
  return {
    ok: true,
    notification: {
      provider: provider.id,
      channel: channel.key,
      merchant: channel.merchant,
      receivedAt,
      body,
      headers,
      ...said,
    },
  };
}

/** Whether the job's ID in the queue belongs to these bytes, by the rule of its version. */
function isOf(
  { notificationId, digest }: ContentIdentity,
  job: z.infer<typeof notificationJob>,
  jobId: string,
): boolean {
  if (notificationId !== job.notificationId) return false;
  // Version 1 had the whole digest, and no reliable ID.
  return job.version === 1
    ? job.digest === digest
    : jobIdFor({ ...job, version: job.version }, digest) === jobId;
}

/** The content of verified bytes, and their identity by both rules. */
type Said = Pick<
  VerifiedNotification,
  'notificationId' | 'digest' | 'former' | 'authenticity' | 'events'
>;

/**
 * A message that our decoder throws on must not be retried for a day, and must not stop the others.
 * @param former if it is known already
 */
function open(
  provider: PaymentProvider,
  { request, notificationId, digest, authenticity }: Verified,
  former?: ContentIdentity | null,
): Said | null {
  try {
    const events = provider.decode(request);
    const known = former === undefined ? provider.formerIdentity(request) : former;
    return events.length > 0
      ? { notificationId, digest, former: known, authenticity, events }
      : null;
  } catch {
    return null;
  }
}

/**
 * Opens a job of the previous release. It never refuses a notification that the previous gateway
 * acknowledged. A message that the rule `text` refuses is known by its former identity alone.
 */
function openFormer(
  provider: PaymentProvider,
  request: NotificationRequest,
  former: Verified,
): Said | null {
  const verification = provider.verify(request);
  if (!verification.ok) return open(provider, former, null);
  const { notificationId, digest } = former;
  return open(provider, verification, { notificationId, digest });
}

/** It fails on every retry with the same configuration. */
function failed(
  reason: Exclude<DeadLetterReason, 'attempts_exhausted'>,
  error: RejectReason | null = null,
): JobVerdict {
  return { ok: false, failure: { reason, error } };
}
