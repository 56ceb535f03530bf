/** The schedule's retries of held events. */
import { messageOf } from '@payonce/core/runtime/errors';
import { bisect } from '../../database/bisect.js';
import type { DatabaseDeps } from '../../database/deps.js';
import type { HoldReason } from '../../database/hold-reason.js';
import { inTransaction, isUnavailable, type Tx } from '../../database/transaction.js';
import { readEvents } from '../records/event-rows.js';
import { findDue, postponeRetry } from '../records/event-schedule-rows.js';
import { tryLockNotificationRows } from '../records/notification-locks.js';
import { isHeld } from '../records/stored-event.js';
import { isReleased, tryResolveHeldEvents } from './resolve-held-events.js';

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
 * Resolves held events that are due again, at most `limit` notifications. One that cannot be
 * applied is singled out and held as `internal_error`. One whose order is locked is retried a
 * little later. The others go on.
 * @throws AppError `database_unavailable`
 */
export async function retryHeld(deps: DatabaseDeps, limit: number): Promise<RetryResult> {
  const due = await findDue(deps.prisma, deps.clock(), limit);
  if (due.length === 0) return { looked: 0, released: 0 };
  const counts = await bisect(
    due,
    (ids) => inTransaction(deps, (tx) => retryTogether(tx, deps.clock(), ids, null)),
    async (id, error) => {
      deps.log.error({ err: messageOf(error), notification: id }, 'held.apply_failed');
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
