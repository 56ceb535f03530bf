/** SQL of dead letters. */
import { sha256Hex } from '@payonce/providers/crypto';
import type { Tx } from '../../database/transaction.js';
import { boundedJobId, type DeadLetterInput, type JobFailure } from '../records/dead-letter.js';

/** A repeated job counts up and reopens its letter. Other content under a known ID gets another. */
export async function upsertDeadLetter(
  tx: Tx,
  now: Date,
  { queue, jobId, job, reason, error }: DeadLetterInput,
): Promise<void> {
  const text = JSON.stringify(job ?? null);
  await tx.$executeRaw`
    INSERT INTO dead_letters AS d
      (queue, job_id, job_hash, job, reason, error, created_at, last_at)
    VALUES (${queue}, ${storable(boundedJobId(jobId))}, ${sha256Hex(text)}, ${text}::json,
      ${reason}, ${storable(error ?? null)}, ${now}, ${now})
    ON CONFLICT (job_id, job_hash) DO UPDATE SET queue = excluded.queue,
      reason = excluded.reason, error = excluded.error, deaths = d.deaths + 1,
      last_at = excluded.last_at, redrive_requested_at = NULL, redriven_at = NULL,
      dismissed_at = NULL`;
}

/**
 * PostgreSQL's text takes no NUL, and storing a letter must not fail because of a message's
 * content.
 */
function storable(text: string | null): string | null {
  return text?.replaceAll('\0', '\uFFFD') ?? text;
}

export interface LetterState {
  readonly reason: string;
  readonly deaths: number;
  readonly requested: Date | null;
  readonly redriven: Date | null;
  readonly dismissed: Date | null;
}

export async function lockDeadLetter(tx: Tx, id: bigint): Promise<LetterState | undefined> {
  const [state] = await tx.$queryRaw<LetterState[]>`
    SELECT reason, deaths, redrive_requested_at AS requested, redriven_at AS redriven,
      dismissed_at AS dismissed FROM dead_letters WHERE id = ${id} FOR UPDATE`;
  return state;
}

/** The data of a job, and its ID in the queue. */
export interface LetterJob {
  readonly jobId: string;
  /** As it was in the queue, unchecked. */
  readonly job: unknown;
}

export interface LetterRow extends LetterJob {
  readonly id: bigint;
}

/** The oldest letters whose re-drive is requested. */
export function findRequested(prisma: Pick<Tx, 'deadLetter'>, limit: number): Promise<LetterRow[]> {
  return prisma.deadLetter.findMany({
    where: { redriveRequestedAt: { not: null } },
    select: { id: true, jobId: true, job: true },
    orderBy: { id: 'asc' },
    take: limit,
  });
}

/**
 * Open letters that a worker of the previous release could not read, and this one perhaps can.
 * @param after the last letter of the step before; 0 at first
 */
export function findUnread(
  prisma: Pick<Tx, '$queryRaw'>,
  limit: number,
  after: bigint,
): Promise<LetterRow[]> {
  // As text: a job may contain characters that PostgreSQL's JSON operators refuse.
  return prisma.$queryRaw<LetterRow[]>`
    SELECT id, job_id AS "jobId", job FROM dead_letters
    WHERE redriven_at IS NULL AND dismissed_at IS NULL AND redrive_requested_at IS NULL
      AND reason = 'malformed_job' AND job::text LIKE '%"version":3%' AND id > ${after}
    ORDER BY id LIMIT ${limit}`;
}

/**
 * Closes a letter, or counts one more failure; null: it was re-driven. Changes only a letter whose
 * re-drive is still requested: it may have failed again, or been closed, meanwhile.
 */
export async function recordRedrive(
  tx: Tx,
  now: Date,
  id: bigint,
  failure: JobFailure | null,
): Promise<void> {
  const result =
    failure === null
      ? { redrivenAt: now }
      : {
          reason: failure.reason,
          error: failure.error ?? null,
          deaths: { increment: 1 },
          lastAt: now,
        };
  await tx.deadLetter.updateMany({
    where: { id, redriveRequestedAt: { not: null } },
    data: { redriveRequestedAt: null, ...result },
  });
}

/** @returns false when another worker, or a person, closed it meanwhile */
export async function closeOpenLetter(tx: Tx, now: Date, id: bigint): Promise<boolean> {
  const closed = await tx.$executeRaw`
    UPDATE dead_letters SET redriven_at = ${now}, redrive_requested_at = NULL
    WHERE id = ${id} AND redriven_at IS NULL AND dismissed_at IS NULL`;
  return closed > 0;
}

/**
 * Deletes the jobs of closed letters that failed last before `before`, the oldest first.
 * The job hash goes too: the same job that fails again gets a new letter, with its content.
 * @returns how many, at most `limit`
 */
export function purgeClosedLetters(
  tx: Tx,
  now: Date,
  before: Date,
  limit: number,
): Promise<number> {
  return tx.$executeRaw`
    UPDATE dead_letters SET job = '{}', job_hash = 'purged:' || id, purged_at = ${now}
    WHERE id IN (
      SELECT id FROM dead_letters
      WHERE purged_at IS NULL AND (redriven_at IS NOT NULL OR dismissed_at IS NOT NULL)
        AND last_at < ${before}
      ORDER BY last_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`;
}

/** The caller has locked the letter. */
export async function markDecided(
  tx: Tx,
  id: bigint,
  decided: { readonly redriveRequestedAt: Date | null; readonly dismissedAt: Date | null },
): Promise<void> {
  await tx.deadLetter.updateMany({ where: { id }, data: decided });
}
