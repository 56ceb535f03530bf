/**
 * The transaction that applies a batch of payment notifications. `applyBatch` below is the flow:
 * 1. `upsert-notifications`: insert the notifications, lock those that are stored already
 * 2. `batch-events`: the new events, and the stored ones that are held
 * 3. `lock-event-orders`: lock their orders
 * 4. `resolve-events`: claim the trades and read the facts; `decide` and `orders/plan` find each
 *    event's outcome (applied, duplicate, held, ignored) and each order's new state, without I/O
 * 5. `write-resolved`: write facts, orders, order events with deliveries, events and outcomes
 *
 * A payment is a `VerifiedNotification`, then a `NotificationEntry` (with its row), a
 * `PendingEvent`, a `ResolvedEvent` (with its outcome), and for the caller an `ApplyOutcome`.
 */
import type { DatabaseDeps } from '../../database/deps.js';
import type { HoldReason } from '../../database/hold-reason.js';
import { inTransaction, type Tx, waitForLocks } from '../../database/transaction.js';
import { TRY_SHARED_ENDPOINT_LOCK } from '../../endpoints/lock.js';
import { readEvents } from '../records/event-rows.js';
import type { ApplyOutcome, VerifiedNotification } from '../records/notification.js';
import type { PendingEvent } from '../records/resolved-event.js';
import { batchOutcomes, copiesToCount, pendingEvents } from './batch-events.js';
import { lockOrdersOf, type TriedOrdersOf, tryLockOrdersOf } from './lock-event-orders.js';
import { distinctContents, type Upserted } from './notification-entry.js';
import { resolveEvents } from './resolve-events.js';
import { leaveLocked, upsertNotifications } from './upsert-notifications.js';
import { writeResolved } from './write-resolved.js';

export interface ApplyDeps extends DatabaseDeps {
  /**
   * Whether the same transaction creates the deliveries of order events. Otherwise
   * `startDeliveries` creates them. It does so too for order events from before it was started.
   */
  readonly fansOut?: () => boolean;
  /** Called after a commit with new deliveries or a newly held notification. */
  readonly wakeDeliveries?: () => void;
}

/**
 * Applies a batch of verified notifications in one transaction, or nothing of it. Waits for locks
 * as long as PostgreSQL allows. A batch of one is the general case. A read after a wait for a lock
 * is a later statement, so it sees what was committed meanwhile. Every step locks its rows in the
 * order of their unique keys. All paths lock notifications before orders before trades before
 * facts.
 * @param holdAs holds every event for this reason, and touches no order
 * @returns one outcome per notification, in the order of the batch
 * @throws AppError `database_unavailable`; any other error means that one notification is poisonous
 */
export async function applyNotifications(
  deps: ApplyDeps,
  batch: readonly VerifiedNotification[],
  holdAs: HoldReason | null = null,
): Promise<ApplyOutcome[]> {
  const outcomes = await applyInTransaction(deps, batch, { holdAs, skipsLocked: false });
  return outcomes.map((outcome) => {
    if (outcome === null) throw new Error('a notification that was just stored is gone');
    return outcome;
  });
}

/**
 * The same, but skips locks. A notification whose row, order or order number another transaction
 * has locked leaves the batch, and nothing waits for it. Two things cannot be skipped: a concurrent
 * insert of the same row, and a locked table. For these it waits `waitMs` at most.
 * @returns per notification its outcome, or null: it is locked, and nothing of it was written
 * @throws AppError `database_unavailable`, which may be `isTooSlow`; otherwise one of them is
 * poisonous
 */
export function applySkippingLocked(
  deps: ApplyDeps,
  batch: readonly VerifiedNotification[],
  waitMs: number,
): Promise<(ApplyOutcome | null)[]> {
  const how = { holdAs: null, skipsLocked: true };
  return applyInTransaction(deps, batch, how, waitForLocks(waitMs));
}

/**
 * The same for notifications of one order: waits `waitMs` at most for its turn in PostgreSQL's fair
 * queue.
 * @throws AppError `database_unavailable`, which may be `isTooSlow`: nothing was written
 */
export function applyInTurn(
  deps: ApplyDeps,
  batch: readonly VerifiedNotification[],
  waitMs: number,
): Promise<(ApplyOutcome | null)[]> {
  const how = { holdAs: null, skipsLocked: false };
  return applyInTransaction(deps, batch, how, waitForLocks(waitMs));
}

interface How {
  readonly holdAs: HoldReason | null;
  /** Leaves out locked notifications instead of waiting. */
  readonly skipsLocked: boolean;
}

async function applyInTransaction(
  deps: ApplyDeps,
  batch: readonly VerifiedNotification[],
  how: How,
  settings = '',
): Promise<(ApplyOutcome | null)[]> {
  if (batch.length === 0) return [];
  const first = settings + (deps.fansOut?.() ? TRY_SHARED_ENDPOINT_LOCK : '');
  const { outcomes, hasDeliveries } = await inTransaction(
    deps,
    (tx) => applyBatch(tx, deps.clock(), batch, how),
    first,
  );
  if (hasDeliveries) deps.wakeDeliveries?.();
  return outcomes;
}

interface Applied {
  /** One per notification of the batch; null: it is locked. */
  readonly outcomes: (ApplyOutcome | null)[];
  /** Whether there is something new to deliver. */
  readonly hasDeliveries: boolean;
}

async function applyBatch(
  tx: Tx,
  now: Date,
  batch: readonly VerifiedNotification[],
  { holdAs, skipsLocked }: How,
): Promise<Applied> {
  const upserted = await upsertNotifications(tx, now, distinctContents(batch), skipsLocked);
  const stored = await readEvents(tx, storedRows(upserted));
  const pending = pendingEvents(upserted, stored, holdAs);
  const { orders, lockedElsewhere } = await lockOrders(tx, pending, skipsLocked);
  const left = await leaveLocked(tx, upserted, lockedElsewhere);
  const stays = ({ notificationRowId }: { readonly notificationRowId: bigint }) =>
    !left.has(notificationRowId) && !lockedElsewhere.has(notificationRowId);
  const resolved = await resolveEvents(tx, now, pending.filter(stays), orders);
  const { events } = resolved;
  const copies = copiesToCount(upserted, events);
  const deliveries = await writeResolved(tx, now, resolved, { copies, scheduled: false });
  const isNewlyHeld = events.some((one) => one.stored === null && one.outcome.outcome === 'held');
  return {
    outcomes: batchOutcomes(batch, upserted, stored.filter(stays), events),
    hasDeliveries: deliveries > 0 || isNewlyHeld,
  };
}

function storedRows({ entries }: Upserted): bigint[] {
  return [...entries.values()].flatMap(({ isNew, row }) => (isNew ? [] : [row.id]));
}

async function lockOrders(
  tx: Tx,
  pending: readonly PendingEvent[],
  skipsLocked: boolean,
): Promise<TriedOrdersOf> {
  if (skipsLocked) return tryLockOrdersOf(tx, pending);
  return { orders: await lockOrdersOf(tx, pending), lockedElsewhere: new Set() };
}
