import { writeAudit } from '../database/audit.js';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction } from '../database/transaction.js';
import { applyAll } from './apply-all.js';
import type { LetterJob, Verdict } from './redrive.js';

interface OpenLetter extends LetterJob {
  readonly id: bigint;
}

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
  verify: (letter: LetterJob) => Verdict,
): Promise<ReadableStep> {
  // As text: a job may contain characters that PostgreSQL's JSON operators refuse.
  const letters = await deps.prisma.$queryRaw<OpenLetter[]>`
    SELECT id, job_id AS "jobId", job FROM dead_letters
    WHERE redriven_at IS NULL AND dismissed_at IS NULL AND redrive_requested_at IS NULL
      AND reason = 'malformed_job' AND job::text LIKE '%"version":3%' AND id > ${after}
    ORDER BY id LIMIT ${limit}`;
  let redriven = 0;
  for (const { id, jobId, job } of letters) {
    const verdict = verify({ jobId, job });
    if (!verdict.ok) continue;
    const [result] = await applyAll(deps, [verdict.notification]);
    if (result?.status === 'fulfilled' && (await settle(deps, id))) redriven += 1;
  }
  return { last: letters.at(-1)?.id ?? after, looked: letters.length, redriven };
}

/** @returns false when another worker, or a person, closed it meanwhile */
function settle(deps: DatabaseDeps, id: bigint): Promise<boolean> {
  return inTransaction(deps, async (tx) => {
    const now = deps.clock();
    const settled = await tx.$executeRaw`
      UPDATE dead_letters SET redriven_at = ${now}, redrive_requested_at = NULL
      WHERE id = ${id} AND redriven_at IS NULL AND dismissed_at IS NULL`;
    if (settled === 0) return false;
    const detail = { deadLetterReason: 'malformed_job' };
    await writeAudit(tx, now, SYSTEM, { action: 'dead_letter.redrive', deadLetterId: id, detail });
    deps.log.info({ deadLetter: id }, 'dead_letters.redriven');
    return true;
  });
}
