import { type Operator, writeAudit } from '../../database/audit.js';
import type { DatabaseDeps } from '../../database/deps.js';
import { inTransaction } from '../../database/transaction.js';
import type { DeadLetterInput } from '../records/dead-letter.js';
import { lockDeadLetter, markDecided, upsertDeadLetter } from './dead-letter-rows.js';

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
