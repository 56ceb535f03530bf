import { sha256Hex } from '../providers/crypto.js';
import type { ProviderId } from '../providers/provider.js';

/**
 * What the gateway hands to the worker: the bytes as received, so that the worker can verify again.
 * JSON-safe: the body is base64 (a PostgreSQL-backed queue refuses NUL and lone surrogates).
 */
export interface NotificationJob {
  readonly version: 1;
  readonly provider: ProviderId;
  readonly channel: string;
  readonly notificationId: string;
  readonly digest: string;
  /** ISO 8601 with milliseconds. */
  readonly receivedAt: string;
  readonly bodyBase64: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The queue's name; BullMQ keys are `{prefix}:{name}:…`. */
export const NOTIFICATION_QUEUE = 'notifications';

/**
 * `{provider}.{channel}.{notificationId}.{8 hex of digest}`: a cheap filter for copies, never the guard.
 * The digest lets a second message with the same ID and other content through (it is held as
 * `id_conflict`). BullMQ refuses `:` and integers, so an unusual ID is replaced by its SHA-256.
 */
export function jobIdFor(
  job: Pick<NotificationJob, 'provider' | 'channel' | 'notificationId' | 'digest'>,
): string {
  const plain = /^[A-Za-z0-9_-]{1,100}$/.test(job.notificationId);
  const id = plain ? job.notificationId : sha256Hex(job.notificationId);
  return `${job.provider}.${job.channel}.${id}.${job.digest.slice(0, 8)}`;
}
