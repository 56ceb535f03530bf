import { messageOf } from '@payonce/core/runtime/errors';
import { bisect } from '../database/bisect.js';
import type { DatabaseDeps } from '../database/deps.js';
import type { HoldReason } from '../database/hold-reason.js';
import { inTransaction, isUnavailable, type Tx } from '../database/transaction.js';
import { type OrderKey, orderKey } from '../orders/order.js';
import { postponeRetry, readEvents, retryAtOnceFor } from './event-rows.js';
import { tryLockNotificationRows } from './notification-locks.js';
import { isReleased, tryResolveHeldEvents } from './resolve-held-events.js';
import { latestRetryAt, TRIES_MAX } from './retry-schedule.js';
import { type HeldEvent, isHeld } from './stored-event.js';

/** More held notifications than 500 orders have; the schedule takes the rest. */
const RELEASE_LIMIT = 5_000;

/**
 * Applies events that waited for these orders, in the transaction that registers them. Skips a
 * notification that another transaction has locked, and makes its events due at once: that
 * transaction may look for no order, or for another order of the notification.
 * @returns by `orderKey`, how many events of the order are no longer held; no entry where there are
 * none
 */
export async function releaseForOrders(
  tx: Tx,
  now: Date,
  keys: readonly OrderKey[],
): Promise<ReadonlyMap<string, number>> {
  const registered = new Set(keys.map(orderKey));
  const locked = await tx.$queryRaw<{ id: bigint }[]>`
    SELECT n.id FROM notifications n WHERE n.id IN (
      SELECT e.notification_row_id FROM notification_events e
      JOIN unnest(${keys.map((key) => key.merchant)}::text[], ${keys.map((key) => key.number)}::text[])
        AS k (merchant, number) ON e.merchant = k.merchant AND e.order_number = k.number
      WHERE e.outcome = 'held' AND e.hold_reason = 'unknown_order'
    ) ORDER BY n.id LIMIT ${RELEASE_LIMIT} FOR UPDATE OF n SKIP LOCKED`;
  const events = await readEvents(
    tx,
    locked.map((row) => row.id),
  );
  const waiting = events
    .filter(isHeld)
    .filter((held) => held.outcome.reason === 'unknown_order' && registered.has(keyOf(held)));
  const options = { scheduled: false, holdAs: null };
  const { resolved } = await tryResolveHeldEvents(tx, now, waiting, options);
  const counts = new Map<string, number>();
  for (const { stored } of resolved.filter(isReleased)) {
    counts.set(keyOf(stored), (counts.get(keyOf(stored)) ?? 0) + 1);
  }
  await retryAtOnceFor(tx, now, keys);
  return counts;
}

function keyOf({ merchant, event }: HeldEvent): string {
  return orderKey({ merchant, number: event.orderNumber ?? '' });
}

/**
 * A locked order costs a held event no step of its schedule. With the schedule's pause this is less
 * than ten seconds.
 */
const LOCKED_WAIT_MS = 4_000;

export interface RetryResult {
  readonly looked: number;
  /** How many of them are no longer held. */
  readonly released: number;
}

/**
 * Decides held events that are due again, at most `limit` notifications. One that cannot be applied
 * is singled out and held as `internal_error`. One whose order is locked is decided a little later.
 * The others go on.
 * @throws AppError `database_unavailable`
 */
export async function retryHeld(deps: DatabaseDeps, limit: number): Promise<RetryResult> {
  const now = deps.clock();
  const due = await deps.prisma.$queryRaw<{ id: bigint }[]>`
    SELECT DISTINCT notification_row_id AS id FROM notification_events
    WHERE next_retry_at <= ${now} OR next_retry_at > ${latestRetryAt(now)}
      -- As workers of the release before leave it, which never look again.
      OR outcome = 'held' AND hold_reason = 'trade_on_other_order' AND next_retry_at IS NULL
        AND tries < ${TRIES_MAX}
    LIMIT ${limit}`;
  if (due.length === 0) return { looked: 0, released: 0 };
  const counts = await bisect(
    due.map((row) => row.id),
    (ids) => inTransaction(deps, (tx) => retryTogether(tx, deps.clock(), ids, null)),
    async (id, error) => {
      deps.log.error({ err: messageOf(error) }, 'held.apply_failed');
      const [count = 0] = await inTransaction(deps, (tx) =>
        retryTogether(tx, deps.clock(), [id], 'internal_error'),
      );
      return count;
    },
    isUnavailable,
  );
  return { looked: due.length, released: counts.reduce((total, count) => total + count, 0) };
}

/** @returns per notification how many of its events are no longer held */
async function retryTogether(
  tx: Tx,
  now: Date,
  ids: readonly bigint[],
  holdAs: HoldReason | null,
): Promise<number[]> {
  const events = await readEvents(tx, await tryLockNotificationRows(tx, ids));
  const held = events.filter(isHeld);
  const options = { scheduled: true, holdAs };
  const { resolved, lockedElsewhere } = await tryResolveHeldEvents(tx, now, held, options);
  await postponeRetry(
    tx,
    new Date(now.getTime() + LOCKED_WAIT_MS),
    lockedElsewhere.map((one) => one.id),
  );
  const counts = new Map<bigint, number>();
  for (const { stored } of resolved.filter(isReleased)) {
    counts.set(stored.notificationRowId, (counts.get(stored.notificationRowId) ?? 0) + 1);
  }
  return ids.map((id) => counts.get(id) ?? 0);
}
