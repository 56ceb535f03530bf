import { isLocked } from '@payonce/core/runtime/errors';
import type { DatabaseDeps } from '../../database/deps.js';
import { inTransaction } from '../../database/transaction.js';
import { applyAll } from '../apply/apply-in-parts.js';
import type { JobFailure } from '../records/dead-letter.js';
import type { VerifiedNotification } from '../records/notification.js';
import { findRequested, type LetterJob, recordRedrive } from './dead-letter-rows.js';

/** A job that was verified and decoded, or the reason why that fails. */
export type JobVerdict =
  | { readonly ok: true; readonly notification: VerifiedNotification }
  | { readonly ok: false; readonly failure: JobFailure };

export interface RedriveResult {
  /** Without letters that other transactions have locked: their request stays. */
  readonly looked: number;
  readonly redriven: number;
}

/**
 * Tries the requested dead letters again, at most `limit` in one step. Each is verified again and
 * applied like any notification. A letter that fails again counts one more death and is open again.
 * Two workers may take the same letter: then the second application is a copy and changes nothing.
 * @throws AppError `database_unavailable`: the requests stay
 */
export async function redriveDeadLetters(
  deps: DatabaseDeps,
  limit: number,
  verify: (letter: LetterJob) => JobVerdict,
): Promise<RedriveResult> {
  const letters = await findRequested(deps.prisma, limit);
  let redriven = 0;
  let locked = 0;
  for (const { id, jobId, job } of letters) {
    const failure = await tryAgain(deps, verify({ jobId, job }));
    if (failure === 'locked') {
      locked += 1;
      continue;
    }
    await inTransaction(deps, (tx) => recordRedrive(tx, deps.clock(), id, failure));
    if (failure === null) {
      redriven += 1;
      deps.log.info({ deadLetter: id }, 'dead_letter.redriven');
    } else {
      deps.log.error({ deadLetter: id, reason: failure.reason }, 'dead_letter.died_again');
    }
  }
  return { looked: letters.length - locked, redriven };
}

/**
 * @returns null when it is applied or held with its reason: both close the letter; `locked` keeps
 * the request
 */
async function tryAgain(
  deps: DatabaseDeps,
  verdict: JobVerdict,
): Promise<JobFailure | 'locked' | null> {
  if (!verdict.ok) return verdict.failure;
  const [result] = await applyAll(deps, [verdict.notification]);
  if (result?.status === 'fulfilled') return null;
  if (isLocked(result?.reason)) return 'locked';
  const error = result?.reason instanceof Error ? result.reason.name : null;
  return { reason: 'attempts_exhausted', error };
}
