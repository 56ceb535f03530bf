import { messageOf } from '@payonce/core/runtime/errors';
import { bisect } from '../database/bisect.js';
import type { DatabaseDeps } from '../database/deps.js';
import type { HoldReason } from '../database/hold-reason.js';
import { inTransaction, isUnavailable, type Tx } from '../database/transaction.js';
import type { OrderKey } from '../orders/order-lock.js';
import type { KnownOrder } from '../orders/plan.js';
import { orderKey } from '../orders/store.js';
import { standingsOfHeld } from './content-rows.js';
import {
  type HeldEvent,
  isHeld,
  makeDueFor,
  postpone,
  type Redecided,
  readEvents,
  updateEvents,
} from './event-rows.js';
import { latestRetryAt, TRIES_MAX } from './hold.js';
import { updateNotifications } from './notification-rows.js';
import { type AskedAgain, toPending } from './pending.js';
import { lockFreeOrdersOf, lockOrdersOf, settleEvents } from './settle.js';
import { storePlans } from './store-plans.js';

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
  const { redecided } = await settleFree(tx, now, waiting, { scheduled: false, forced: null });
  const counts = new Map<string, number>();
  for (const { stored } of redecided.filter(isReleased)) {
    counts.set(keyOf(stored), (counts.get(keyOf(stored)) ?? 0) + 1);
  }
  await makeDueFor(tx, now, keys);
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
    (ids) => inTransaction(deps, (tx) => retryInOne(tx, deps.clock(), ids, null)),
    async (id, error) => {
      deps.log.error({ err: messageOf(error) }, 'a held event cannot be applied');
      const [count = 0] = await inTransaction(deps, (tx) =>
        retryInOne(tx, deps.clock(), [id], 'internal_error'),
      );
      return count;
    },
    isUnavailable,
  );
  return { looked: due.length, released: counts.reduce((total, count) => total + count, 0) };
}

/** @returns per notification how many of its events are no longer held */
async function retryInOne(
  tx: Tx,
  now: Date,
  ids: readonly bigint[],
  forced: HoldReason | null,
): Promise<number[]> {
  const locked = await tx.$queryRaw<{ id: bigint }[]>`
    SELECT id FROM notifications WHERE id = ANY(${[...ids]}::bigint[])
    ORDER BY id FOR UPDATE SKIP LOCKED`;
  const events = await readEvents(
    tx,
    locked.map((row) => row.id),
  );
  const held = events.filter(isHeld);
  const { redecided, busy } = await settleFree(tx, now, held, { scheduled: true, forced });
  await postpone(
    tx,
    new Date(now.getTime() + LOCKED_WAIT_MS),
    busy.map((one) => one.id),
  );
  const counts = new Map<bigint, number>();
  for (const { stored } of redecided.filter(isReleased)) {
    counts.set(stored.notificationRowId, (counts.get(stored.notificationRowId) ?? 0) + 1);
  }
  return ids.map((id) => counts.get(id) ?? 0);
}

interface Again {
  /** The schedule decides it, so its schedule advances one step. */
  readonly scheduled: boolean;
  readonly forced: HoldReason | null;
}

/**
 * Decides stored events once more and writes the outcomes. Their notifications are locked; this
 * waits for their orders.
 * @returns all of them with their outcomes, in their order
 */
export async function settleAgain(
  tx: Tx,
  now: Date,
  held: readonly HeldEvent[],
  again: Again,
): Promise<readonly Redecided[]> {
  if (held.length === 0) return [];
  const asked = await askAgain(tx, held, again.forced);
  return settleWith(tx, now, asked, again, await lockOrdersOf(tx, asked));
}

/**
 * The same without waiting. The `busy` events stay unchanged: another transaction has locked an
 * order of their notification.
 */
async function settleFree(
  tx: Tx,
  now: Date,
  held: readonly HeldEvent[],
  again: Again,
): Promise<{ readonly redecided: readonly Redecided[]; readonly busy: readonly HeldEvent[] }> {
  if (held.length === 0) return { redecided: [], busy: [] };
  const asked = await askAgain(tx, held, again.forced);
  const { orders, busy } = await lockFreeOrdersOf(tx, asked);
  const free = asked.filter((one) => !busy.has(one.notificationRowId));
  return {
    redecided: await settleWith(tx, now, free, again, orders),
    busy: held.filter((one) => busy.has(one.notificationRowId)),
  };
}

async function askAgain(
  tx: Tx,
  held: readonly HeldEvent[],
  forced: HoldReason | null,
): Promise<AskedAgain[]> {
  const standings = await standingsOfHeld(tx, held);
  return held.map((stored) => toPending(stored, forced, standings.get(stored.id) ?? 'judged'));
}

async function settleWith(
  tx: Tx,
  now: Date,
  asked: readonly AskedAgain[],
  { scheduled }: Again,
  orders: ReadonlyMap<string, KnownOrder>,
): Promise<readonly Redecided[]> {
  const { settled, plans } = await settleEvents(tx, now, asked, orders);
  await storePlans(tx, now, plans);
  const redecided = settled.map(({ pending, outcome }): Redecided => {
    return { stored: pending.stored, outcome, scheduled };
  });
  await updateEvents(tx, now, redecided);
  await updateNotifications(tx, now, new Map(asked.map((one) => [one.notificationRowId, 0])));
  return redecided;
}

function isReleased({ outcome }: Redecided): boolean {
  return outcome.outcome !== 'held';
}
