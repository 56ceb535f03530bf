import { sha256Hex } from '@payonce/providers/crypto';

/**
 * Why a job cannot succeed as things are:
 * - `malformed_job`: not the shape that the gateway writes
 * - `unknown_channel`: no such channel, or one of another provider
 * - `verification_failed`: the bytes do not prove their origin
 * - `identity_mismatch`: genuine bytes under the ID of another notification, or of other content
 * - `undecodable`: genuine bytes that our own decoder throws on
 * - `attempts_exhausted`: every attempt failed, for over a day
 */
export const DEAD_LETTER_REASONS = [
  'malformed_job',
  'unknown_channel',
  'verification_failed',
  'identity_mismatch',
  'undecodable',
  'attempts_exhausted',
] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];

/** Why a job failed. Never a secret, and nothing of the message. */
export interface JobFailure {
  readonly reason: DeadLetterReason;
  /** The name of the error, or why verification failed; none when the reason says all. */
  readonly error?: string | null;
}

/** A failed job, as it is kept outside the queue. */
export interface DeadLetterInput extends JobFailure {
  readonly queue: string;
  readonly jobId: string;
  /** The job as it was in the queue, unchecked: for a notification the raw bytes. Kept as JSON. */
  readonly job: unknown;
}

/** Longer than any ID that a gateway writes, and short enough for an index. */
const JOB_ID_MAX = 300;

/**
 * A writer to the queue can give a job any ID. A hash replaces an ID that is too long to keep or
 * log.
 */
export function boundedJobId(jobId: string): string {
  return jobId.length <= JOB_ID_MAX ? jobId : `sha256:${sha256Hex(jobId)}`;
}
