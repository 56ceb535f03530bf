import { isUtf8 } from 'node:buffer';
import { decodeBase64, sha256Hex } from '@payonce/providers/crypto';
import type { ProviderId } from '@payonce/providers/provider';

/**
 * A job from the gateway to the worker: the bytes as received, so that the worker can verify again.
 * Every character costs queue memory while the job waits, so nothing that follows from the bytes is
 * included.
 */
export interface NotificationJob extends QueuedBody {
  /**
   * 3: job ID and notification ID follow the rule `text`; 1 and 2 of previous releases follow
   * `former`.
   */
  readonly version: 3;
  readonly provider: ProviderId;
  readonly channel: string;
  readonly notificationId: string;
  /** ISO 8601 with milliseconds. */
  readonly receivedAt: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A job to be added to a queue. */
export interface NewJob {
  /** See `jobIdFor`. */
  readonly id: string;
  readonly data: NotificationJob;
}

/** The body as JSON, in one of two forms. */
export interface QueuedBody {
  /** For UTF-8 without NUL, which is nearly every notification: base64 is a third larger. */
  readonly bodyText?: string;
  /** For anything else: a PostgreSQL-backed queue refuses NUL, and JSON has no bytes. */
  readonly bodyBase64?: string;
}

export function queuedBody(body: Buffer): QueuedBody {
  const isText = isUtf8(body) && !body.includes(0);
  return isText ? { bodyText: body.toString('utf8') } : { bodyBase64: body.toString('base64') };
}

/** The original bytes; null when both forms or neither are present, and for invalid base64. */
export function bodyOf({ bodyText, bodyBase64 }: QueuedBody): Buffer | null {
  if ((bodyText === undefined) === (bodyBase64 === undefined)) return null;
  if (bodyBase64 !== undefined) return decodeBase64(bodyBase64);
  return bodyText ? Buffer.from(bodyText, 'utf8') : null;
}

/** The queue's name; BullMQ keys are `{prefix}:{name}:…`. */
export const NOTIFICATION_QUEUE = 'notifications';

/** Hex digits of the digest in the ID of a job of version 2. */
const FORMER_DIGITS = 8;
/** 64 bits: two contents never share them by chance. */
const DIGITS = 16;

/**
 * `{provider}.{channel}.{notificationId}.{16 hex of digest}`: a cheap filter for copies, never the
 * guard. The digest lets a second message with the same ID and other content through, and the
 * worker checks the job's bytes against it. BullMQ refuses `:` and integers, so a SHA-256 replaces
 * an unusual ID.
 * @param digest by the rule of the job's version
 */
export function jobIdFor(
  job: Readonly<Record<'provider' | 'channel' | 'notificationId', string>> & {
    readonly version?: 2 | 3;
  },
  digest: string,
): string {
  const plain = /^[A-Za-z0-9_-]{1,100}$/.test(job.notificationId);
  const id = plain ? job.notificationId : sha256Hex(job.notificationId);
  const digits = job.version === 2 ? FORMER_DIGITS : DIGITS;
  return `${job.provider}.${job.channel}.${id}.${digest.slice(0, digits)}`;
}
