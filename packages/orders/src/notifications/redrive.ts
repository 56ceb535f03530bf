import { isLocked } from '@payonce/core/runtime/errors';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction } from '../database/transaction.js';
import { applyAll } from './apply-all.js';
import type { DeadLetterReason } from './dead-letters.js';
import type { VerifiedNotification } from './notification.js';

/** A dead letter's job, verified and decoded again; or the reason why that fails this time. */
export type Verdict =
  | { readonly ok: true; readonly notification: VerifiedNotification }
  | ({ readonly ok: false } & Death);

/** The job's data as it was in the queue, and its ID there. */
export interface LetterJob {
  readonly jobId: string;
  readonly job: unknown;
}

export interface RedriveResult {
  /** Without letters that other transactions have locked: their request stays. */
  readonly looked: number;
  readonly redriven: number;
}

interface Death {
  readonly reason: DeadLetterReason;
  /** Never a secret, and nothing of the message. */
  readonly error: string | null;
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
  verify: (letter: LetterJob) => Verdict,
): Promise<RedriveResult> {
  const letters = await deps.prisma.deadLetter.findMany({
    where: { redriveRequestedAt: { not: null } },
    select: { id: true, jobId: true, job: true },
    orderBy: { id: 'asc' },
    take: limit,
  });
  let redriven = 0;
  let locked = 0;
  for (const { id, jobId, job } of letters) {
    const death = await tryAgain(deps, verify({ jobId, job }));
    if (death === 'locked') {
      locked += 1;
      continue;
    }
    await settleLetter(deps, id, death);
    if (death === null) redriven += 1;
  }
  return { looked: letters.length - locked, redriven };
}

/**
 * @returns null when it is applied or held with its reason: both close the letter; `locked` keeps
 * the request
 */
async function tryAgain(deps: DatabaseDeps, verdict: Verdict): Promise<Death | 'locked' | null> {
  if (!verdict.ok) return verdict;
  const [result] = await applyAll(deps, [verdict.notification]);
  if (result?.status === 'fulfilled') return null;
  if (isLocked(result?.reason)) return 'locked';
  const error = result?.reason instanceof Error ? result.reason.name : null;
  return { reason: 'attempts_exhausted', error };
}

async function settleLetter(deps: DatabaseDeps, id: bigint, death: Death | null): Promise<void> {
  const now = deps.clock();
  // Only a letter that is still requested: it may have failed again, or been closed, meanwhile.
  const where = { id, redriveRequestedAt: { not: null } };
  const data =
    death === null
      ? { redrivenAt: now }
      : { reason: death.reason, error: death.error, deaths: { increment: 1 }, lastAt: now };
  await inTransaction(deps, (tx) =>
    tx.deadLetter.updateMany({ where, data: { redriveRequestedAt: null, ...data } }),
  );
  if (death === null) deps.log.info({ deadLetter: id }, 'dead_letters.redriven');
  else deps.log.error({ deadLetter: id, reason: death.reason }, 'dead_letter.died_again');
}
