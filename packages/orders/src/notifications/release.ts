import { messageOf } from '@payonce/core/runtime/errors';
import { bisect } from '../database/bisect.js';
import type { DatabaseDeps } from '../database/deps.js';
import type { HoldReason } from '../database/hold-reason.js';
import { inTransaction, isUnavailable, type Tx, waitForLocks } from '../database/transaction.js';
import { type OrderKey, orderKey } from '../orders/order.js';
import { retryAtOnce as makeDue, postponeRetry, readEvents } from './event-rows.js';
import {
  inIdentityOrder as inOrderOfNames,
  type NotificationIdentity as NotificationName,
} from './notification-identity.js';
import { lockNotifications, tryLockNotificationRows } from './notification-locks.js';
import {
  isReleased,
  type ResolveHeldOptions,
  tryResolveHeldEvents,
} from './resolve-held-events.js';
import { latestRetryAt, TRIES_MAX } from './retry-schedule.js';
import { type HeldEvent, isHeld } from './stored-event.js';

/** More held notifications than 500 orders have; the schedule takes the rest. */
const RELEASE_LIMIT = 5_000;

/**
 * Applies events that waited for these orders, in the transaction that registers them. Leaves an
 * event to the schedule if its notification names another order too, and that one is locked. Skips
 * a notification that another transaction has locked. That one waits for this registration before
 * it looks for the order; if it had looked earlier, it would have committed by now. `releaseLeft`
 * covers transactions that look for no order.
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
  return counts;
}

/** Recording a gateway's report takes a fraction of it; beyond it, the schedule retries. */
const LEFT_WAIT_MS = 2_000;

/**
 * Runs after the registration. Releases what it skipped because of a transaction that looks for no
 * order, such as the one that counts a gateway's reported copies. Waits for that lock, but not for
 * another order of the same notification: the schedule decides such an event at once. The
 * registration itself must not wait for it, since it has locked the order's number.
 */
export async function releaseLeft(deps: DatabaseDeps, keys: readonly OrderKey[]): Promise<void> {
  const left = await deps.prisma.$queryRaw<NotificationName[]>`
    SELECT DISTINCT n.channel, n.notification_id AS "notificationId", n.variant
    FROM notification_events e
    JOIN unnest(${keys.map((key) => key.merchant)}::text[], ${keys.map((key) => key.number)}::text[])
      AS k (merchant, number) ON e.merchant = k.merchant AND e.order_number = k.number
    JOIN notifications n ON n.id = e.notification_row_id
    WHERE e.outcome = 'held' AND e.hold_reason = 'unknown_order' LIMIT ${RELEASE_LIMIT}`;
  if (left.length === 0) return;
  const names = inOrderOfNames(left, (name) => name);
  const release = async (tx: Tx) => {
    const locked = await lockNotifications(tx, names);
    const ids = [...locked.values()].map(({ id }) => id);
    const held = (await readEvents(tx, ids)).filter(isHeld);
    const now = deps.clock();
    const { busy } = await settleFree(tx, now, held, { scheduled: false, forced: null });
    const busyRows = busy.map((one) => one.notificationRowId);
    await makeDue(tx, now, 'unknown_order', busyRows);
  };
  await inTransaction(deps, release, waitForLocks(LEFT_WAIT_MS));
}

/**
 * Makes the waiting events of these orders due at once. A lock or an outage kept a registration
 * from applying them, and their next look may be an hour away.
 */
export async function leaveToSchedule(
  deps: DatabaseDeps,
  keys: readonly OrderKey[],
): Promise<void> {
  await inTransaction(deps, async (tx) => {
    await tx.$executeRaw`
      UPDATE notification_events e SET next_retry_at = ${deps.clock()}
      FROM unnest(${keys.map((key) => key.merchant)}::text[], ${keys.map((key) => key.number)}::text[])
        AS k (merchant, number)
      WHERE e.merchant = k.merchant AND e.order_number = k.number
        AND e.outcome = 'held' AND e.hold_reason = 'unknown_order'`;
  });
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

/** For `releaseLeft`. */
async function settleFree(
  tx: Tx,
  now: Date,
  held: readonly HeldEvent[],
  { scheduled }: Pick<ResolveHeldOptions, 'scheduled'> & { readonly forced: null },
): Promise<{ readonly busy: readonly HeldEvent[] }> {
  const options = { scheduled, holdAs: null };
  return { busy: (await tryResolveHeldEvents(tx, now, held, options)).lockedElsewhere };
}
