import { sha256Hex } from '@payonce/providers/crypto';
import { type Operator, writeAudit } from '../database/audit.js';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction } from '../database/transaction.js';
import { lockDeadLetter, markDecided, upsertDeadLetter } from './dead-letter-rows.js';

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

/**
 * Stores a job permanently before it is removed from the queue, so that its job ID does not swallow
 * a re-sent notification. A repeated job counts up and reopens its letter. Other content under a
 * known ID gets a second letter, so that a writer to the queue cannot replace a genuine letter.
 * @throws AppError `database_unavailable`: then the job must stay in the queue
 */
export function recordDeadLetter(deps: DatabaseDeps, letter: DeadLetterInput): Promise<void> {
  const now = deps.clock();
  return inTransaction(deps, (tx) => upsertDeadLetter(tx, now, letter));
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

/** How many letters are open, for a gauge. @throws the driver's error */
export async function countOpenDeadLetters({ prisma }: DatabaseDeps): Promise<number> {
  return prisma.deadLetter.count({ where: { redrivenAt: null, dismissedAt: null } });
}

export interface LetterCommand extends Operator {
  /** The letter's row. */
  readonly letter: bigint;
}

export type LetterOutcome =
  /** `again`: it was requested before; nothing was changed now. */
  | { readonly result: 'done'; readonly again: boolean }
  | { readonly result: 'unknown_letter' }
  | { readonly result: 'closed'; readonly how: 'redriven' | 'dismissed' };

/**
 * Requests another try of a dead letter's job. A worker reads the job from the letter. The job's
 * queue may be down or no longer in use.
 * @throws AppError `database_unavailable`
 */
export function requestRedrive(deps: DatabaseDeps, command: LetterCommand): Promise<LetterOutcome> {
  return decideLetter(deps, command, 'dead_letter.redrive');
}

/**
 * Dismisses a letter, such as a forgery that somebody wrote into the queue. It is kept and no
 * longer counted.
 * @throws AppError `database_unavailable`
 */
export function dismissDeadLetter(
  deps: DatabaseDeps,
  command: LetterCommand,
): Promise<LetterOutcome> {
  return decideLetter(deps, command, 'dead_letter.dismiss');
}

function decideLetter(
  deps: DatabaseDeps,
  command: LetterCommand,
  action: 'dead_letter.redrive' | 'dead_letter.dismiss',
): Promise<LetterOutcome> {
  const { letter } = command;
  return inTransaction(deps, async (tx): Promise<LetterOutcome> => {
    const state = await lockDeadLetter(tx, letter);
    if (state === undefined) return { result: 'unknown_letter' };
    const redrive = action === 'dead_letter.redrive';
    if (redrive ? state.requested : state.dismissed) return { result: 'done', again: true };
    if (state.redriven) return { result: 'closed', how: 'redriven' };
    if (state.dismissed) return { result: 'closed', how: 'dismissed' };
    const now = deps.clock();
    await markDecided(tx, letter, {
      redriveRequestedAt: redrive ? now : null,
      dismissedAt: redrive ? null : now,
    });
    const detail = { deadLetterReason: state.reason, deaths: state.deaths };
    await writeAudit(tx, now, command, { action, deadLetterId: letter, detail });
    return { result: 'done', again: false };
  });
}
