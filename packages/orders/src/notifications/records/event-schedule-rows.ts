/** SQL of the schedule of held events: retries, and the alert after the deadline. */
import type { HoldReason } from '../../database/hold-reason.js';
import type { Tx } from '../../database/transaction.js';
import type { OrderKey } from '../../orders/order.js';
import { latestRetryAt, TRIES_MAX } from './retry-schedule.js';

/** Notifications with a held event that the schedule has to retry. */
export async function findDue(
  prisma: Pick<Tx, '$queryRaw'>,
  now: Date,
  limit: number,
): Promise<bigint[]> {
  const rows = await prisma.$queryRaw<{ id: bigint }[]>`
    SELECT DISTINCT notification_row_id AS id FROM notification_events
    WHERE next_retry_at <= ${now} OR next_retry_at > ${latestRetryAt(now)}
      -- As workers of the previous release leave it, which never look again.
      OR outcome = 'held' AND hold_reason = 'trade_on_other_order' AND next_retry_at IS NULL
        AND tries < ${TRIES_MAX}
    LIMIT ${limit}`;
  return rows.map(({ id }) => id);
}

/** Sets the schedule's next retry of these events; changes nothing else. */
export async function postponeRetry(tx: Tx, until: Date, ids: readonly bigint[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.$executeRaw`UPDATE notification_events SET next_retry_at = ${until}
    WHERE id = ANY(${[...ids]}::bigint[]) AND next_retry_at IS NOT NULL`;
}

/** The schedule retries these notifications' events at once: the reason may be cured. */
export async function retryAtOnce(
  tx: Tx,
  now: Date,
  reason: HoldReason,
  notificationRowIds: readonly bigint[],
): Promise<void> {
  if (notificationRowIds.length === 0) return;
  await tx.$executeRaw`UPDATE notification_events SET next_retry_at = ${now}
    WHERE notification_row_id = ANY(${[...notificationRowIds]}::bigint[])
      AND outcome = 'held' AND hold_reason = ${reason}`;
}

/**
 * The same for events that wait for these orders. Waits for no lock: a transaction that has locked
 * such an event looks for its order, or makes the event due.
 */
export async function retryWaitingAtOnce(
  tx: Tx,
  now: Date,
  keys: readonly OrderKey[],
): Promise<void> {
  await tx.$executeRaw`UPDATE notification_events SET next_retry_at = ${now} WHERE id IN (
    SELECT e.id FROM notification_events e
    JOIN unnest(${keys.map((key) => key.merchant)}::text[], ${keys.map((key) => key.number)}::text[])
      AS k (merchant, number) ON e.merchant = k.merchant AND e.order_number = k.number
    WHERE e.outcome = 'held' AND e.hold_reason = 'unknown_order'
    FOR NO KEY UPDATE OF e SKIP LOCKED)`;
}

/** Notifications with an event that has waited for its order since `cutoff`, without an alert. */
export async function findOverdue(
  prisma: Pick<Tx, '$queryRaw'>,
  cutoff: Date,
  limit: number,
): Promise<bigint[]> {
  const rows = await prisma.$queryRaw<{ id: bigint }[]>`
    SELECT notification_row_id AS id FROM notification_events
    WHERE outcome = 'held' AND hold_reason = 'unknown_order' AND alerted_at IS NULL
      AND created_at <= ${cutoff} LIMIT ${limit}`;
  return rows.map(({ id }) => id);
}

export interface OverdueEvent {
  readonly notification: bigint;
  readonly position: number;
  readonly merchant: string;
  readonly orderNumber: string | null;
  readonly since: Date;
}

/** Marks the overdue events of these notifications, which the caller has locked. */
export function markAlerted(
  tx: Tx,
  now: Date,
  cutoff: Date,
  notificationRowIds: readonly bigint[],
): Promise<OverdueEvent[]> {
  return tx.$queryRaw<OverdueEvent[]>`
    -- Due at once, in case a registration has just skipped it because of this lock.
    UPDATE notification_events SET alerted_at = ${now}, next_retry_at = ${now}
    WHERE notification_row_id = ANY(${[...notificationRowIds]}::bigint[])
      AND outcome = 'held' AND hold_reason = 'unknown_order' AND alerted_at IS NULL
      AND created_at <= ${cutoff}
    RETURNING notification_row_id AS notification, position, merchant,
      order_number AS "orderNumber", created_at AS since`;
}
