import type { DatabaseDeps } from '../database/deps.js';
import { failureKind } from '../database/failure.js';
import { AppError } from '../errors.js';
import { sha256Hex } from '../providers/crypto.js';

/** A job that can never succeed. */
export interface DeadLetter {
  readonly queue: string;
  readonly jobId: string;
  /** The job as the queue had it: for a notification the raw bytes in base64. Kept as JSON. */
  readonly job: unknown;
  /** In our words, e.g. `bad_signature`, `unknown_channel`. */
  readonly reason: string;
  /** What was thrown, if anything; never a secret. */
  readonly error?: string | undefined;
}

/**
 * Keeps a job for good, before it is removed from the queue: so that a re-sent notification is not
 * swallowed by the job ID. The same job again counts up; another content under a known ID is kept beside
 * it, so that nobody who can write to the queue can replace a genuine letter.
 * @throws AppError `database_unavailable`: then the job must stay in the queue
 */
export async function recordDeadLetter(deps: DatabaseDeps, letter: DeadLetter): Promise<void> {
  const now = deps.clock();
  const job = JSON.stringify(letter.job ?? null);
  // PostgreSQL's text takes no NUL, and this must not fail for what a message says.
  const error = letter.error?.replaceAll('\0', '\uFFFD') ?? null;
  try {
    await deps.prisma.$executeRaw`
      INSERT INTO dead_letters AS d
        (queue, job_id, job_hash, job, reason, error, created_at, last_at)
      VALUES (${letter.queue}, ${letter.jobId}, ${sha256Hex(job)}, ${job}::json, ${letter.reason},
        ${error}, ${now}, ${now})
      ON CONFLICT (queue, job_id, job_hash) DO UPDATE SET reason = excluded.reason,
        error = excluded.error, deaths = d.deaths + 1, last_at = excluded.last_at,
        redriven_at = NULL`;
  } catch (cause) {
    if (failureKind(cause) === 'refused') throw cause;
    throw new AppError('database_unavailable', { cause });
  }
}
