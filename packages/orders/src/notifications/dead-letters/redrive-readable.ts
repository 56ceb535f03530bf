import { writeAudit } from '../../database/audit.js';
import type { DatabaseDeps } from '../../database/deps.js';
import { inTransaction } from '../../database/transaction.js';
import { applyAll } from '../apply/apply-in-parts.js';
import { closeOpenLetter, findUnread, type LetterJob } from './dead-letter-rows.js';
import type { JobVerdict } from './redrive.js';

/** A step through the letters by their IDs. */
export interface ReadableStep {
  /** The last letter of this step. */
  readonly last: bigint;
  readonly looked: number;
  readonly redriven: number;
}

/** Nobody has to request it: the job itself was valid. */
const SYSTEM = {
  actor: 'system',
  reason: 'a worker of the previous release could not read the job',
} as const;

/**
 * Applies dead letters that a worker of the previous release could not read (`malformed_job`) and
 * this one can. Such letters arise while both run beside a new gateway. At most `limit` in one
 * step. It does not set `redrive_requested_at`: workers of the previous release would take the
 * letter and fail again.
 * @param after the last letter of the step before; 0 at first
 * @throws AppError `database_unavailable`
 */
export async function redriveReadable(
  deps: DatabaseDeps,
  limit: number,
  after: bigint,
  verify: (letter: LetterJob) => JobVerdict,
): Promise<ReadableStep> {
  const letters = await findUnread(deps.prisma, limit, after);
  let redriven = 0;
  for (const { id, jobId, job } of letters) {
    const verdict = verify({ jobId, job });
    if (!verdict.ok) continue;
    const [result] = await applyAll(deps, [verdict.notification]);
    if (result?.status === 'fulfilled' && (await closeLetter(deps, id))) redriven += 1;
  }
  return { last: letters.at(-1)?.id ?? after, looked: letters.length, redriven };
}

/** @returns false when another worker, or a person, closed it meanwhile */
function closeLetter(deps: DatabaseDeps, id: bigint): Promise<boolean> {
  return inTransaction(deps, async (tx) => {
    const now = deps.clock();
    if (!(await closeOpenLetter(tx, now, id))) return false;
    const detail = { deadLetterReason: 'malformed_job' };
    await writeAudit(tx, now, SYSTEM, { action: 'dead_letter.redrive', deadLetterId: id, detail });
    deps.log.info({ deadLetter: id }, 'dead_letter.redriven');
    return true;
  });
}
