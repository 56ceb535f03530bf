import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction } from '../database/transaction.js';

/** How many rows' raw bytes one round may erase, of each kind. */
export interface PurgeBudget {
  readonly notifications: number;
  readonly responses: number;
  readonly letters: number;
}

/**
 * One round erases at most a hundredth of the kept rows, and at least one row. PostgreSQL's clock,
 * too, may jump ahead. That must not erase all raw bytes before a person notices. A day of
 * the shortest retention is 144 rounds of ten minutes, so that a hundredth keeps up with any rate.
 */
const SHARE = 0.01;

/**
 * Counting so many index entries takes a fifth of a second; beyond it, PostgreSQL's estimate
 * serves.
 */
const COUNTED = 1_000_000;

/** @throws AppError `database_unavailable` */
export async function purgeBudget(deps: DatabaseDeps): Promise<PurgeBudget> {
  // Settings of our transactions make PostgreSQL use the partial indexes.
  const [kept] = await inTransaction(
    deps,
    (tx) => tx.$queryRaw<Kept[]>`
      SELECT (SELECT count(*) FROM (
          SELECT FROM notifications WHERE purged_at IS NULL LIMIT ${COUNTED}) AS n) AS notifications,
        (SELECT reltuples FROM pg_class WHERE oid = to_regclass('notifications_unpurged_idx'))
          AS "notificationsEstimate",
        (SELECT count(*) FROM (
          SELECT FROM delivery_attempts WHERE response IS NOT NULL LIMIT ${COUNTED}) AS a) AS responses,
        (SELECT reltuples FROM pg_class WHERE oid = to_regclass('delivery_attempts_unpurged_idx'))
          AS "responsesEstimate",
        (SELECT count(*) FROM (
          SELECT FROM dead_letters
          WHERE purged_at IS NULL AND (redriven_at IS NOT NULL OR dismissed_at IS NOT NULL)
          LIMIT ${COUNTED}) AS d) AS letters,
        (SELECT reltuples FROM pg_class WHERE oid = to_regclass('dead_letters_unpurged_idx'))
          AS "lettersEstimate"`,
  );
  if (kept === undefined) throw new Error('a count has a row');
  return {
    notifications: shareOf(Number(kept.notifications), kept.notificationsEstimate),
    responses: shareOf(Number(kept.responses), kept.responsesEstimate),
    letters: shareOf(Number(kept.letters), kept.lettersEstimate),
  };
}

interface Kept {
  readonly notifications: bigint;
  readonly notificationsEstimate: number | null;
  readonly responses: bigint;
  readonly responsesEstimate: number | null;
  readonly letters: bigint;
  readonly lettersEstimate: number | null;
}

function shareOf(counted: number, estimate: number | null): number {
  const rows = counted < COUNTED ? counted : Math.max(counted, estimate ?? 0);
  return Math.ceil(rows * SHARE);
}
