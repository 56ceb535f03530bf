import type { DatabaseDeps } from '../database/deps.js';
import { recordset } from '../database/recordset.js';
import { inTransaction, type Tx } from '../database/transaction.js';
import { purgeClosedLetters } from '../notifications/dead-letters/dead-letter-rows.js';
import { takeReportedCopies } from '../reports/copy-rows.js';
import { type PurgeBudget, purgeBudget } from './budget.js';

/** Rows in one step: it takes milliseconds, so that nothing waits for their locks. */
const STEP = 200;

/**
 * The progress of a round: the last row of each table. Begin with `START`, and continue with each
 * returned place.
 */
export interface PurgePlace {
  readonly notification: bigint;
  readonly attempt: bigint;
  /** What the round may still erase; counted at its start. */
  readonly left?: PurgeBudget;
}

export const START: PurgePlace = { notification: 0n, attempt: 0n };

export interface PurgeStep {
  /** Null at the end of the round. Rows that could not be erased yet belong to the next one. */
  readonly next: PurgePlace | null;
  readonly notifications: number;
  readonly responses: number;
  readonly letters: number;
}

/**
 * Erases raw bytes older than `retentionMs`, one bounded step. For notifications these are body,
 * headers and times of copies, once their events are decided and delivered. For arrived deliveries
 * it is the response of the merchant's system, for closed dead letters the job. The rows stay, with
 * every key that guards against duplicates. A round ends early when it has erased its share
 * (`budget.ts`).
 * @throws AppError `database_unavailable`
 */
export async function purgeStep(
  deps: DatabaseDeps,
  retentionMs: number,
  place: PurgePlace,
): Promise<PurgeStep> {
  const before = new Date(deps.clock().getTime() - retentionMs);
  const budget = place.left ?? (await purgeBudget(deps));
  const notifications = await nextNotifications(deps, before, place.notification);
  const purged = await purgeNotifications(deps, notifications, budget.notifications);
  const attempts = await nextAttempts(deps, before, place.attempt);
  const responses = await purgeResponses(deps, attempts, budget.responses);
  const letters = await purgeLetters(deps, before, budget.letters);
  const left = {
    notifications: budget.notifications - purged,
    responses: budget.responses - responses,
    letters: budget.letters - letters,
  };
  const isEnd =
    (notifications.length < STEP || left.notifications === 0) &&
    (attempts.length < STEP || left.responses === 0) &&
    (letters < STEP || left.letters === 0);
  const next = {
    notification: notifications.at(-1) ?? place.notification,
    attempt: attempts.at(-1) ?? place.attempt,
    left,
  };
  return { next: isEnd ? null : next, notifications: purged, responses, letters };
}

/** Each closed letter may be purged, so a step needs no place: it begins with the oldest. */
async function purgeLetters(deps: DatabaseDeps, before: Date, limit: number): Promise<number> {
  if (limit === 0) return 0;
  return inTransaction(deps, (tx) =>
    purgeClosedLetters(tx, deps.clock(), before, Math.min(limit, STEP)),
  );
}

async function nextNotifications(
  { prisma }: DatabaseDeps,
  before: Date,
  after: bigint,
): Promise<bigint[]> {
  // Through the index of unpurged rows: IDs are assigned nearly in the order of arrival.
  const rows = await prisma.$queryRaw<{ id: bigint; old: boolean }[]>`
    SELECT id, created_at < ${before} AS old FROM notifications
    WHERE purged_at IS NULL AND id > ${after} ORDER BY id LIMIT ${STEP}`;
  return rows.flatMap(({ id, old }) => (old ? [id] : []));
}

async function purgeNotifications(
  deps: DatabaseDeps,
  ids: readonly bigint[],
  limit: number,
): Promise<number> {
  if (ids.length === 0 || limit === 0) return 0;
  return inTransaction(deps, async (tx) => {
    const locked = await lockResolvedAndDelivered(tx, ids, limit);
    if (locked.length === 0) return 0;
    const taken = await takeReportedCopies(tx, locked);
    const counts = recordset(
      taken.map(({ id, count }) => ({ id: String(id), count: String(count) })),
      { id: 'bigint', count: 'bigint' },
    );
    return tx.$executeRaw`
      UPDATE notifications n SET body = '', headers = '{}', purged_at = ${deps.clock()},
        acknowledged = least(n.acknowledged
          + coalesce((SELECT k.count FROM ${counts} AS k WHERE k.id = n.id), 0), 2147483647)
      WHERE n.id = ANY(${locked}::bigint[])`;
  });
}

/**
 * Excludes held notifications, and those with an undelivered order event, of their orders or of
 * themselves. A notification that another transaction has locked waits for the next round.
 */
async function lockResolvedAndDelivered(
  tx: Tx,
  ids: readonly bigint[],
  limit: number,
): Promise<bigint[]> {
  const rows = await tx.$queryRaw<{ id: bigint }[]>`
    SELECT n.id FROM notifications n
    WHERE n.id = ANY(${[...ids]}::bigint[]) AND n.purged_at IS NULL AND n.status <> 'held'
      AND NOT EXISTS (
        SELECT 1 FROM notification_events e CROSS JOIN LATERAL (
          SELECT t.id, t.fanned_out_at FROM order_events t WHERE t.notification_event_id = e.id
          UNION ALL
          SELECT t.id, t.fanned_out_at FROM orders o JOIN order_events t ON t.order_id = o.id
          WHERE o.merchant = e.merchant AND o.number = e.order_number
        ) AS sent
        WHERE e.notification_row_id = n.id AND (sent.fanned_out_at IS NULL OR EXISTS (
          SELECT 1 FROM deliveries d WHERE d.order_event_id = sent.id AND d.state <> 'delivered')))
    ORDER BY n.id LIMIT ${limit} FOR UPDATE OF n SKIP LOCKED`;
  return rows.map(({ id }) => id);
}

async function nextAttempts(
  { prisma }: DatabaseDeps,
  before: Date,
  after: bigint,
): Promise<bigint[]> {
  const rows = await prisma.$queryRaw<{ id: bigint; old: boolean }[]>`
    SELECT id, at < ${before} AS old FROM delivery_attempts
    WHERE response IS NOT NULL AND id > ${after} ORDER BY id LIMIT ${STEP}`;
  return rows.flatMap(({ id, old }) => (old ? [id] : []));
}

async function purgeResponses(
  deps: DatabaseDeps,
  ids: readonly bigint[],
  limit: number,
): Promise<number> {
  if (ids.length === 0 || limit === 0) return 0;
  return inTransaction(
    deps,
    (tx) => tx.$executeRaw`
      UPDATE delivery_attempts SET response = NULL WHERE id IN (
        SELECT a.id FROM delivery_attempts a JOIN deliveries d ON d.id = a.delivery_id
        WHERE a.id = ANY(${[...ids]}::bigint[]) AND d.state = 'delivered'
        ORDER BY a.id LIMIT ${limit})`,
  );
}
