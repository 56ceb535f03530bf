import type { DatabaseDeps } from '../database/deps.js';
import type { OrderKey } from '../database/order-lock.js';
import { inTransaction, isUnavailable, type Tx } from '../database/transaction.js';
import { messageOf } from '../errors.js';
import { orderKey } from '../orders/store.js';
import { storePlans } from '../orders/store-plans.js';
import { standingsOfHeld } from './content-rows.js';
import type { Standing } from './contents.js';
import { type HeldEvent, isHeld, readEvents, updateEvents } from './event-rows.js';
import { latestRetryAt } from './hold.js';
import type { EventOutcome, HoldReason } from './notification.js';
import {
  lockNotifications,
  type NotificationName,
  nameKey,
  updateNotifications,
} from './notification-rows.js';
import type { PendingEvent } from './settle.js';
import { type Asked, settleStanding } from './settle-standing.js';

/** More held notifications than 500 orders have; the schedule takes the rest. */
const RELEASE_LIMIT = 5_000;

/**
 * Applies what waited for these orders, in the transaction that registers them. A notification that is
 * locked just now is left to whoever locked it: he either waits for this registration before he looks for
 * the order, or was done before it began. For those who look for no order there is `releaseLeft`.
 * @returns per order how many events are no longer held, by `orderKey`; none where nothing was
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
  const outcomes = await settleAgain(tx, now, waiting, { scheduled: false, forced: null });
  const counts = new Map<string, number>();
  for (const [index, held] of waiting.entries()) {
    if (outcomes[index]?.outcome === 'held') continue;
    counts.set(keyOf(held), (counts.get(keyOf(held)) ?? 0) + 1);
  }
  return counts;
}

/** A gateway's report is recorded within a fraction of it; beyond it, the schedule looks again. */
const LEFT_WAIT = '2s';

/**
 * After the registration: what it left although the one who had it locked looks for no order, as who counts
 * a gateway's reported copies. Waits for him, which the registration must not: it holds the order's number.
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
  // By name, as all do who wait for one while they have another.
  left.sort((a, b) => (nameKey(a) < nameKey(b) ? -1 : 1));
  await inTransaction(deps, async (tx) => {
    await tx.$executeRaw`SELECT set_config('lock_timeout', ${LEFT_WAIT}, true)`;
    const locked = await lockNotifications(tx, left);
    const events = await readEvents(
      tx,
      [...locked.values()].map((row) => row.id),
    );
    await settleAgain(tx, deps.clock(), events.filter(isHeld), { scheduled: false, forced: null });
  });
}

function keyOf({ merchant, event }: HeldEvent): string {
  return orderKey({ merchant, number: event.orderNumber ?? '' });
}

export interface RetryResult {
  readonly looked: number;
  /** How many of them are no longer held. */
  readonly released: number;
}

/**
 * Looks again at held events that are due, at most `limit` notifications. One that cannot be applied is
 * singled out and held as `internal_error`; the others go on.
 * @throws AppError `database_unavailable`
 */
export async function retryHeld(deps: DatabaseDeps, limit: number): Promise<RetryResult> {
  const now = deps.clock();
  const due = await deps.prisma.$queryRaw<{ id: bigint }[]>`
    SELECT DISTINCT notification_row_id AS id FROM notification_events
    WHERE next_retry_at <= ${now} OR next_retry_at > ${latestRetryAt(now)} LIMIT ${limit}`;
  const released = await retryRows(
    deps,
    due.map((row) => row.id),
  );
  return { looked: due.length, released };
}

async function retryRows(deps: DatabaseDeps, ids: readonly bigint[]): Promise<number> {
  if (ids.length === 0) return 0;
  try {
    return await inTransaction(deps, (tx) => retryInOne(tx, deps.clock(), ids, null));
  } catch (error) {
    if (isUnavailable(error)) throw error;
    if (ids.length === 1) {
      deps.log?.error({ err: messageOf(error) }, 'a held event cannot be applied');
      return inTransaction(deps, (tx) => retryInOne(tx, deps.clock(), ids, 'internal_error'));
    }
    const middle = Math.ceil(ids.length / 2);
    const first = await retryRows(deps, ids.slice(0, middle));
    return first + (await retryRows(deps, ids.slice(middle)));
  }
}

async function retryInOne(
  tx: Tx,
  now: Date,
  ids: readonly bigint[],
  forced: HoldReason | null,
): Promise<number> {
  const locked = await tx.$queryRaw<{ id: bigint }[]>`
    SELECT id FROM notifications WHERE id = ANY(${[...ids]}::bigint[])
    ORDER BY id FOR UPDATE SKIP LOCKED`;
  const events = await readEvents(
    tx,
    locked.map((row) => row.id),
  );
  return released(await settleAgain(tx, now, events.filter(isHeld), { scheduled: true, forced }));
}

/** Decides stored events once more and writes the outcomes. Their notifications are locked. */
export async function settleAgain(
  tx: Tx,
  now: Date,
  held: readonly HeldEvent[],
  { scheduled, forced }: { readonly scheduled: boolean; readonly forced: HoldReason | null },
): Promise<readonly EventOutcome[]> {
  if (held.length === 0) return [];
  const standings = await standingsOfHeld(tx, held);
  const pending = held.map((one): Asked => {
    const standing = standings.get(one.id) ?? 'judged';
    return { ...toPending(one, forced, standing), standing };
  });
  const { outcomes, plans } = await settleStanding(tx, now, pending);
  await storePlans(tx, now, plans);
  const redecided = held.flatMap((stored, index) => {
    const outcome = outcomes[index];
    return outcome ? [{ stored, outcome, scheduled }] : [];
  });
  await updateEvents(tx, now, redecided);
  await updateNotifications(tx, now, new Map(held.map((one) => [one.notificationRowId, 0])));
  return outcomes;
}

/** How many of them are no longer held. */
function released(outcomes: readonly EventOutcome[]): number {
  return outcomes.filter(({ outcome }) => outcome !== 'held').length;
}

/** A held event to be decided again. Other content under a known ID stays so, unless an equal one is found. */
export function toPending(
  held: HeldEvent,
  forced: HoldReason | null,
  standing: Standing,
): PendingEvent {
  const { merchant, notificationRowId, event } = held;
  const conflict = standing === 'id_conflict' ? standing : null;
  return { merchant, notificationRowId, event, forced: conflict ?? forced };
}
