import type { DatabaseDeps } from '../database/deps.js';
import { KEEP_ENDPOINTS } from '../database/endpoint-lock.js';
import { inTransaction, type Tx, waitForLocks } from '../database/transaction.js';
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
  deleteNotifications,
  insertNotifications,
  lockNotifications,
  type NotificationRow,
  nameKey,
  updateNotifications,
} from './notification-rows.js';
import { toPending } from './release.js';
import { lockFreeOrdersOf, lockOrdersOf, type PendingEvent, settleEvents } from './settle.js';

export interface ApplyDeps extends DatabaseDeps {
  /**
   * Whether deliveries of order events are made in the same transaction; else `startDeliveries` makes them, and so
   * it does for order events that are made before it was started.
   */
  readonly fansOut?: () => boolean;
}

/**
 * Applies a batch of verified notifications in one transaction: all of it, or nothing. Waits for what others have
 * locked, as long as PostgreSQL lets it. A batch of one is the general case. What is read after a lock was waited for is read by a later statement, and so is
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
  const how = { forced, skips: false };
  const outcomes = await applyInOne(deps, batch, how);
  return outcomes.map((outcome) => {
    if (outcome === null) throw new Error('a notification that was just stored is gone');
    return outcome;
  });
}

/**
 * The same for those that are free. Whatever has a row, an order or an order's number that another transaction has
 * locked leaves the batch as if it had not been in it, and nothing waits for it. What cannot be skipped, somebody
 * else's insert of the same row or a locked table, is waited for `waitMs` at most.
 * @returns per notification its outcome, or null: it is locked, and nothing of it was written
 * @throws AppError `database_unavailable`, which may be `isTooSlow`; else one of them is poisonous
 */
export function applyFree(
  deps: ApplyDeps,
  batch: readonly VerifiedNotification[],
  waitMs: number,
): Promise<(ApplyOutcome | null)[]> {
  return applyInOne(deps, batch, { forced: null, skips: true }, waitForLocks(waitMs));
}

/**
 * The same for notifications of one order: waits for its turn, `waitMs` at most, in PostgreSQL's fair queue.
 * @throws AppError `database_unavailable`, which may be `isTooSlow`: nothing was written
 */
export function applyInTurn(
  deps: ApplyDeps,
  batch: readonly VerifiedNotification[],
  waitMs: number,
): Promise<(ApplyOutcome | null)[]> {
  return applyInOne(deps, batch, { forced: null, skips: false }, waitForLocks(waitMs));
}

interface How {
  readonly forced: HoldReason | null;
  /** Leaves out what is locked, instead of waiting. */
  readonly skips: boolean;
}

async function applyInOne(
  deps: ApplyDeps,
  batch: readonly VerifiedNotification[],
  how: How,
  settings = '',
): Promise<(ApplyOutcome | null)[]> {
  if (batch.length === 0) return [];
  const first = settings + (deps.fansOut?.() ? KEEP_ENDPOINTS : '');
  return inTransaction(deps, (tx) => applyWithin(tx, deps.clock(), batch, how), first);
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

async function applyWithin(
  tx: Tx,
  now: Date,
  batch: readonly VerifiedNotification[],
  { forced, skips }: How,
): Promise<(ApplyOutcome | null)[]> {
  const { entries, busyIds } = await enter(tx, now, groupCopies(batch), skips);
  const read = await readEvents(
    tx,
    [...entries.values()].flatMap((entry) => (entry.isNew ? [] : [entry.row.id])),
  );
  const newEvents = [...entries.values()].filter((entry) => entry.isNew).flatMap(eventsOf);
  const pendingNew = (one: FreshEvent): PendingEvent => ({ ...one, forced: one.forced ?? forced });
  const pending = [
    ...newEvents.map(pendingNew),
    ...read.filter(isHeld).map((one) => toPending(one, forced)),
  ];
  const { orders, busy } = skips
    ? await lockFreeOrdersOf(tx, pending)
    : { orders: await lockOrdersOf(tx, pending), busy: new Set<bigint>() };
  const left = await leaveBusy(tx, entries, busyIds, busy);
  const stored = read.filter((one) => !left.has(one.notificationRowId));
  const fresh = newEvents.filter((one) => !left.has(one.notificationRowId));
  const held = stored.filter(isHeld);
  const { outcomes, plans } = await settleEvents(
    tx,
    now,
    [...fresh.map(pendingNew), ...held.map((one) => toPending(one, forced))],
    orders,
  );
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
 * Takes out of the entries, and out of the database, what cannot be applied now: all contents under a notification
 * ID together, so that the first of them stays the first.
 * @returns the rows that are left alone
 */
async function leaveBusy(
  tx: Tx,
  entries: Map<string, Entry>,
  busyIds: Set<string>,
  busyRows: ReadonlySet<bigint>,
): Promise<ReadonlySet<bigint>> {
  for (const { row } of entries.values()) if (busyRows.has(row.id)) busyIds.add(idKey(row));
  const left = new Set<bigint>();
  if (busyIds.size === 0) return left;
  const inserted: bigint[] = [];
  for (const [key, { row, isNew }] of entries) {
    if (!busyIds.has(idKey(row))) continue;
    entries.delete(key);
    left.add(row.id);
    if (isNew) inserted.push(row.id);
  }
  await deleteNotifications(tx, inserted);
  return left;
}

/** What was entered. */
interface Entered {
  readonly entries: Map<string, Entry>;
  /** By `idKey`: one of its rows is locked by another transaction. */
  readonly busyIds: Set<string>;
}

/**
 * Stores and locks the notifications. The first content seen under an ID has the variant ''; that row's
 * lock is what others with the same ID wait for. Other content gets a row of its own.
 */
async function enter(
  tx: Tx,
  now: Date,
  groups: readonly Group[],
  skips: boolean,
): Promise<Entered> {
  const plain = groups.map((group) => ({ group, variant: '' }));
  const { entries, busyIds } = await enterAs(tx, now, plain, skips);
  const conflicting = groups
    .filter(({ notification }) => !entries.has(contentKey(notification)))
    .filter(({ notification }) => !busyIds.has(idKey(notification)))
    .map((group) => ({ group, variant: group.notification.digest }));
  if (conflicting.length === 0) return { entries, busyIds };
  const others = await enterAs(tx, now, conflicting, skips);
  return {
    entries: new Map([...entries, ...others.entries]),
    busyIds: new Set([...busyIds, ...others.busyIds]),
  };
}

async function enterAs(
  tx: Tx,
  now: Date,
  wanted: readonly { readonly group: Group; readonly variant: string }[],
  skips: boolean,
): Promise<Entered> {
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
    skips,
  );
  const unlocked = known.filter(([key]) => !locked.has(key));
  const busyIds = new Set(unlocked.map(([, { notification }]) => idKey(notification)));
  const entries = new Map(
    wanted.flatMap(({ group, variant }): [string, Entry][] => {
      const key = nameKey({ ...group.notification, variant });
      const row = inserted.get(key) ?? locked.get(key);
      if (row === undefined || row.digest !== group.notification.digest) return [];
      return [[contentKey(group.notification), { ...group, row, isNew: inserted.has(key) }]];
    }),
  );
  return { entries, busyIds };
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

/** Per notification of the batch what became of it, null if it left; only the first of new ones is no copy. */
function report(
  batch: readonly VerifiedNotification[],
  entries: ReadonlyMap<string, Entry>,
  stored: readonly StoredEvent[],
  settledNew: readonly (readonly [FreshEvent, EventOutcome])[],
  settledHeld: readonly (readonly [HeldEvent, EventOutcome])[],
): (ApplyOutcome | null)[] {
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
    if (entry === undefined) return null;
    const { id } = entry.row;
    const copy = told.has(id) || !(entry.isNew || changed.has(id));
    told.add(id);
    return { notificationId: notification.notificationId, copy, events: events.get(id) ?? [] };
  });
}

/** The same for all contents under one notification ID. */
function idKey({
  channel,
  notificationId,
}: Pick<VerifiedNotification, 'channel' | 'notificationId'>) {
  return nameKey({ channel, notificationId, variant: '' });
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
