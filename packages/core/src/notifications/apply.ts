import type { DatabaseDeps } from '../database/deps.js';
import { KEEP_ENDPOINTS } from '../database/endpoint-lock.js';
import { inTransaction, type Tx } from '../database/transaction.js';
import { storePlans } from '../orders/store-plans.js';
import {
  eventsToInsert,
  type HeldEvent,
  isHeld,
  type NewEvent,
  readEvents,
  type StoredEvent,
  sameOutcome,
  tellNewlyHeld,
  updateEvents,
} from './event-rows.js';
import type {
  ApplyOutcome,
  EventOutcome,
  HoldReason,
  VerifiedNotification,
} from './notification.js';
import {
  insertNotifications,
  lockNotifications,
  type NotificationRow,
  nameKey,
  updateNotifications,
} from './notification-rows.js';
import { toPending } from './release.js';
import { type PendingEvent, settleEvents } from './settle.js';

export interface ApplyDeps extends DatabaseDeps {
  /**
   * Whether deliveries of order events are made in the same transaction; else `startDeliveries` makes them, and so
   * it does for order events that are made before it was started.
   */
  readonly fansOut?: () => boolean;
}

/**
 * Applies a batch of verified notifications in one transaction: all of it, or nothing. A batch of one is
 * the general case. What is read after a lock was waited for is read by a later statement, and so is
 * what was committed meanwhile; every step takes its rows in the order of their unique keys, and
 * all paths take notifications before orders before trades before facts.
 * @returns one outcome per notification, in the order of the batch
 * @throws AppError `database_unavailable`; anything else means that one of them is poisonous
 */
export async function applyNotifications(
  deps: ApplyDeps,
  batch: readonly VerifiedNotification[],
  forced: HoldReason | null = null,
): Promise<ApplyOutcome[]> {
  if (batch.length === 0) return [];
  const first = deps.fansOut?.() ? KEEP_ENDPOINTS : '';
  return inTransaction(deps, (tx) => applyInOne(tx, deps.clock(), batch, forced), first);
}

/** The same message, as often as the batch has it. */
interface Group {
  readonly notification: VerifiedNotification;
  readonly count: number;
}

/** A group and its locked row. */
interface Entry extends Group {
  readonly row: NotificationRow;
  readonly isNew: boolean;
}

async function applyInOne(
  tx: Tx,
  now: Date,
  batch: readonly VerifiedNotification[],
  forced: HoldReason | null,
): Promise<ApplyOutcome[]> {
  const entries = await enter(tx, now, groupCopies(batch));
  const stored = await readEvents(
    tx,
    [...entries.values()].flatMap((entry) => (entry.isNew ? [] : [entry.row.id])),
  );
  const fresh = [...entries.values()].filter((entry) => entry.isNew).flatMap(eventsOf);
  const held = stored.filter(isHeld);
  const { outcomes, plans } = await settleEvents(tx, now, [
    ...fresh.map((one): PendingEvent => ({ ...one, forced: one.forced ?? forced })),
    ...held.map((one) => toPending(one, forced)),
  ]);
  const settledNew = zip(fresh, outcomes.slice(0, fresh.length));
  const settledHeld = zip(held, outcomes.slice(fresh.length));
  const added = settledNew.map(([one, outcome]): NewEvent => ({ ...one, outcome }));
  await storePlans(tx, now, plans, eventsToInsert(now, added));
  await tellNewlyHeld(tx, now, added);
  await updateEvents(
    tx,
    now,
    settledHeld.map(([one, outcome]) => ({ stored: one, outcome, scheduled: false })),
  );
  await updateNotifications(tx, now, countsToWrite(entries.values(), settledNew));
  return report(batch, entries, stored, settledNew, settledHeld);
}

/** One group per content, sorted by name: the order of inserting and locking. */
function groupCopies(batch: readonly VerifiedNotification[]): Group[] {
  const groups = new Map<string, Group>();
  for (const notification of batch) {
    const key = contentKey(notification);
    groups.set(key, { notification, count: (groups.get(key)?.count ?? 0) + 1 });
  }
  return [...groups.values()];
}

/**
 * Stores and locks the notifications. The first content seen under an ID has the variant ''; that row's
 * lock is what others with the same ID wait for. Other content gets a row of its own.
 */
async function enter(tx: Tx, now: Date, groups: readonly Group[]): Promise<Map<string, Entry>> {
  const plain = groups.map((group) => ({ group, variant: '' }));
  const entries = await enterAs(tx, now, plain);
  const conflicting = groups
    .filter((group) => !entries.has(contentKey(group.notification)))
    .map((group) => ({ group, variant: group.notification.digest }));
  if (conflicting.length === 0) return entries;
  return new Map([...entries, ...(await enterAs(tx, now, conflicting))]);
}

async function enterAs(
  tx: Tx,
  now: Date,
  wanted: readonly { readonly group: Group; readonly variant: string }[],
): Promise<Map<string, Entry>> {
  const named = new Map<string, { notification: VerifiedNotification; variant: string }>();
  for (const { group, variant } of wanted) {
    const key = nameKey({ ...group.notification, variant });
    if (!named.has(key)) named.set(key, { notification: group.notification, variant });
  }
  const sorted = [...named].sort(([a], [b]) => (a < b ? -1 : 1));
  const inserted = await insertNotifications(
    tx,
    now,
    sorted.map(([, one]) => one),
  );
  const known = sorted.filter(([key]) => !inserted.has(key));
  const locked = await lockNotifications(
    tx,
    known.map(([, { notification, variant }]) => ({ ...notification, variant })),
  );
  return new Map(
    wanted.flatMap(({ group, variant }): [string, Entry][] => {
      const key = nameKey({ ...group.notification, variant });
      const row = inserted.get(key) ?? locked.get(key);
      if (row === undefined || row.digest !== group.notification.digest) return [];
      return [[contentKey(group.notification), { ...group, row, isNew: inserted.has(key) }]];
    }),
  );
}

/** Copies by row, of the rows that are not what `insertNotifications` wrote: one copy, `applied`. */
function countsToWrite(
  entries: Iterable<Entry>,
  settledNew: readonly (readonly [FreshEvent, EventOutcome])[],
): Map<bigint, number> {
  const applied = new Set<bigint>();
  const held = new Set<bigint>();
  for (const [{ notificationRowId }, { outcome }] of settledNew) {
    if (outcome === 'applied') applied.add(notificationRowId);
    if (outcome === 'held') held.add(notificationRowId);
  }
  const counts = new Map<bigint, number>();
  for (const { row, isNew, count } of entries) {
    const asInserted = isNew && count === 1 && applied.has(row.id) && !held.has(row.id);
    if (!asInserted) counts.set(row.id, isNew ? count - 1 : count);
  }
  return counts;
}

type FreshEvent = Omit<NewEvent, 'outcome'> & { readonly forced: HoldReason | null };

function eventsOf({ notification, row }: Entry): FreshEvent[] {
  return notification.events.map((event, position) => ({
    notificationRowId: row.id,
    position,
    merchant: notification.merchant,
    event,
    forced: row.variant === '' ? null : 'id_conflict',
  }));
}

/** Per notification of the batch what became of it; only the first of new ones is no copy. */
function report(
  batch: readonly VerifiedNotification[],
  entries: ReadonlyMap<string, Entry>,
  stored: readonly StoredEvent[],
  settledNew: readonly (readonly [FreshEvent, EventOutcome])[],
  settledHeld: readonly (readonly [HeldEvent, EventOutcome])[],
): ApplyOutcome[] {
  const again = new Map(settledHeld.map(([one, outcome]) => [one.id, outcome]));
  const events = new Map<bigint, EventOutcome[]>();
  const add = (rowId: bigint, outcome: EventOutcome) =>
    events.set(rowId, [...(events.get(rowId) ?? []), outcome]);
  for (const [one, outcome] of settledNew) add(one.notificationRowId, outcome);
  for (const one of stored) add(one.notificationRowId, again.get(one.id) ?? one.outcome);
  const changed = new Set(
    settledHeld.flatMap(([held, outcome]) =>
      sameOutcome({ stored: held, outcome }) ? [] : [held.notificationRowId],
    ),
  );
  const told = new Set<bigint>();
  return batch.map((notification) => {
    const entry = entries.get(contentKey(notification));
    if (entry === undefined) throw new Error('a notification that was just stored is gone');
    const { id } = entry.row;
    const copy = told.has(id) || !(entry.isNew || changed.has(id));
    told.add(id);
    return { notificationId: notification.notificationId, copy, events: events.get(id) ?? [] };
  });
}

function contentKey({ channel, notificationId, digest }: VerifiedNotification): string {
  return nameKey({ channel, notificationId, variant: digest });
}

function zip<A, B>(left: readonly A[], right: readonly B[]): (readonly [A, B])[] {
  return left.flatMap((one, index) => {
    const other = right[index];
    return other === undefined ? [] : [[one, other] as const];
  });
}
