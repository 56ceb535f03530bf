import type { Channel, Channels } from '@payonce/core/config/channels';
import type { VerifiedNotification } from '@payonce/core/notifications/notification';
import type { PaymentEvent } from '@payonce/core/providers/event';
import type { RejectReason, VerifiedRequest } from '@payonce/core/providers/provider';
import { bodyOf, jobIdFor, type NotificationJob } from '@payonce/core/queue/job';
import { z } from 'zod';

/**
 * Why a job cannot be applied, now or on any retry with the same configuration:
 * - `malformed_job`: not the shape that the gateway writes
 * - `unknown_channel`: no such channel here, or one of another provider
 * - `verification_failed`: the bytes do not prove their origin
 * - `identity_mismatch`: genuine bytes under the ID of another notification, or of other content
 * - `undecodable`: genuine bytes that our own decoder throws on (a defect of ours)
 */
export type JobFault =
  | { readonly reason: 'malformed_job' | 'unknown_channel' | 'identity_mismatch' | 'undecodable' }
  | { readonly reason: 'verification_failed'; readonly verification: RejectReason };

export type JobVerdict =
  | { readonly ok: true; readonly notification: VerifiedNotification }
  | { readonly ok: false; readonly fault: JobFault };

/** Twice the gateway's largest body in base64: a job beyond it was not written by a gateway. */
const BODY_MAX_CHARACTERS = 720_000;

const current = z.strictObject({
  version: z.literal(2),
  provider: z.string().min(1).max(40),
  channel: z.string().min(1).max(40),
  notificationId: z.string().min(1).max(128),
  receivedAt: z.iso.datetime(),
  bodyText: z.string().max(BODY_MAX_CHARACTERS).exactOptional(),
  bodyBase64: z.string().max(BODY_MAX_CHARACTERS).exactOptional(),
  headers: z.record(z.string().max(100), z.string().max(8_192)),
}) satisfies z.ZodType<Omit<NotificationJob, 'provider'> & { readonly provider: string }>;

/** Of gateways before version 2, in queues and dead letters: the whole digest stood in it. */
const former = current.extend({
  version: z.literal(1),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
});

const notificationJob = z.discriminatedUnion('version', [current, former]);

/**
 * Proves the job's origin again, from its bytes alone, and decodes it. Redis is not a trust boundary:
 * who can write a job still cannot mint a paid order. Pure; freshness and retired keys are judged
 * against the time of receipt, so the verdict is the gateway's, hours later too.
 * @param data the job's data as it came from the queue
 * @param jobId the ID under which it was there
 */
export function verifyJob(data: unknown, jobId: string, channels: Channels): JobVerdict {
  const job = notificationJob.safeParse(data);
  const body = job.success ? bodyOf(job.data) : null;
  if (!job.success || body === null) return refused({ reason: 'malformed_job' });

  const channel = channels.get(job.data.channel);
  if (channel === undefined || channel.provider.id !== job.data.provider) {
    return refused({ reason: 'unknown_channel' });
  }

  const { notificationId, headers } = job.data;
  const receivedAt = new Date(job.data.receivedAt);
  const verification = channel.provider.verify({ body, headers, receivedAt });
  if (!verification.ok) {
    return refused({ reason: 'verification_failed', verification: verification.reason });
  }
  const { digest, authenticity } = verification;
  const sameContent =
    job.data.version === 1 ? job.data.digest === digest : jobIdFor(job.data, digest) === jobId;
  if (verification.notificationId !== notificationId || !sameContent) {
    return refused({ reason: 'identity_mismatch' });
  }
  const events = decode(channel, verification.request);
  if (events === null) return refused({ reason: 'undecodable' });
  return {
    ok: true,
    notification: {
      provider: channel.provider.id,
      channel: channel.key,
      merchant: channel.merchant,
      notificationId,
      digest,
      authenticity,
      receivedAt,
      body,
      headers,
      events,
    },
  };
}

/** One message that our decoder throws on must not be retried for a day nor stop the others. */
function decode(channel: Channel, request: VerifiedRequest): PaymentEvent[] | null {
  try {
    const events = channel.provider.decode(request);
    return events.length > 0 ? events : null;
  } catch {
    return null;
  }
}

function refused(fault: JobFault): JobVerdict {
  return { ok: false, fault };
}
