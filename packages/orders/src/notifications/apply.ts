import type { DatabaseDeps } from '../database/deps.js';
import type { HoldReason } from '../database/hold-reason.js';
import { inTransaction, type Tx, waitForLocks } from '../database/transaction.js';
import { KEEP_ENDPOINTS } from '../deliveries/endpoint-lock.js';
import { contentsKey, findNames } from './content-rows.js';
import type { Entered, Entry, Group } from './entered.js';
import {
  eventsToInsert,
  type HeldEvent,
  isHeld,
  readEvents,
  type StoredEvent,
  sameOutcome,
  tellNewlyHeld,
  updateEvents,
} from './event-rows.js';
import type { ApplyOutcome, EventOutcome, VerifiedNotification } from './notification.js';
import {
  deleteNotifications,
  hasContent,
  insertNotifications,
  lockNotifications,
  nameKey,
  updateNotifications,
} from './notification-rows.js';
import { enterOthers } from './other-contents.js';
import {
  type AskedAgain,
  type EventWrites,
  type FreshEvent,
  toPending,
  toWrite,
} from './pending.js';
import { lockFreeOrdersOf, lockOrdersOf, settleEvents } from './settle.js';
import { storePlans } from './store-plans.js';

export interface ApplyDeps extends DatabaseDeps {
  /**
   * Whether the same transaction creates the deliveries of order events. Otherwise
   * `startDeliveries` creates them. It does so too for order events from before it was started.
   */
  readonly fansOut?: () => boolean;
  /** Called when there are new deliveries or a newly held notification. */
  readonly onNews?: () => void;
}

/**
 * Applies a batch of verified notifications in one transaction, or nothing of it. Waits for locks
 * as long as PostgreSQL allows. A batch of one is the general case. A read after a wait for a lock
 * is a later statement, so it sees what was committed meanwhile. Every step locks its rows in the
 * order of their unique keys. All paths lock notifications before orders before trades before
 * facts.
 * @returns one outcome per notification, in the order of the batch
 * @throws AppError `database_unavailable`; any other error means that one notification is poisonous
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
 * The same, but skips locks. A notification whose row, order or order number another transaction
 * has locked leaves the batch, and nothing waits for it. Two things cannot be skipped: a concurrent
 * insert of the same row, and a locked table. For these it waits `waitMs` at most.
 * @returns per notification its outcome, or null: it is locked, and nothing of it was written
 * @throws AppError `database_unavailable`, which may be `isTooSlow`; otherwise one of them is
 * poisonous
 */
export function applyFree(
  deps: ApplyDeps,
  batch: readonly VerifiedNotification[],
  waitMs: number,
): Promise<(ApplyOutcome | null)[]> {
  return applyInOne(deps, batch, { forced: null, skips: true }, waitForLocks(waitMs));
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
  return applyInOne(deps, batch, { forced: null, skips: false }, waitForLocks(waitMs));
}

interface How {
  readonly forced: HoldReason | null;
  /** Leaves out locked notifications instead of waiting. */
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
  const { outcomes, hasNews } = await inTransaction(
    deps,
    (tx) => applyWithin(tx, deps.clock(), batch, how),
    first,
  );
  if (hasNews) deps.onNews?.();
  return outcomes;
}

interface Applied {
  /** One per notification of the batch; null: it is locked. */
  readonly outcomes: (ApplyOutcome | null)[];
  readonly hasNews: boolean;
}

async function applyWithin(
  tx: Tx,
  now: Date,
  batch: readonly VerifiedNotification[],
  { forced, skips }: How,
): Promise<Applied> {
  const entered = await enter(tx, now, groupCopies(batch), skips);
  const read = await readEvents(tx, knownRows(entered));
  const pending = [...freshEvents(entered, forced), ...heldEvents(entered, read, forced)];
  const { orders, busy } = skips
    ? await lockFreeOrdersOf(tx, pending)
    : { orders: await lockOrdersOf(tx, pending), busy: new Set<bigint>() };
  const left = await leaveBusy(tx, entered, busy);
  const stays = (one: { readonly notificationRowId: bigint }) =>
    !left.has(one.notificationRowId) && !busy.has(one.notificationRowId);
  const { settled, plans } = await settleEvents(tx, now, pending.filter(stays), orders);
  const writes = toWrite(settled);
  const deliveries = await storePlans(tx, now, plans, eventsToInsert(now, writes.added));
  await tellNewlyHeld(tx, now, writes.added);
  await updateEvents(tx, now, writes.redecided);
  await updateNotifications(tx, now, countsToWrite(entered, writes));
  return {
    outcomes: report(batch, entered, read.filter(stays), writes),
    hasNews: deliveries > 0 || writes.added.some(({ outcome }) => outcome.outcome === 'held'),
  };
}

function knownRows({ entries }: Entered): bigint[] {
  return [...entries.values()].flatMap(({ isNew, row }) => (isNew ? [] : [row.id]));
}

/** The events of the new notifications. */
function freshEvents({ entries }: Entered, forced: HoldReason | null): FreshEvent[] {
  return [...entries.values()].flatMap((entry) => (entry.isNew ? eventsOf(entry, forced) : []));
}

/** The held events of the known notifications, and of contents that equal one of the batch. */
function heldEvents(
  { entries, equalHeld }: Entered,
  read: readonly StoredEvent[],
  forced: HoldReason | null,
): AskedAgain[] {
  if (read.length + equalHeld.length === 0) return [];
  const standings = new Map([...entries.values()].map(({ row, standings: all }) => [row.id, all]));
  const standingOf = ({ notificationRowId, position }: HeldEvent) =>
    standings.get(notificationRowId)?.[position] ?? 'judged';
  return [
    ...read.filter(isHeld).map((one) => toPending(one, forced, standingOf(one))),
    ...equalHeld.map(({ stored, standing }) => toPending(stored, forced, standing)),
  ];
}

/** One group per content, in the order of the batch. */
function groupCopies(batch: readonly VerifiedNotification[]): Group[] {
  const groups = new Map<string, Group>();
  for (const notification of batch) {
    const key = contentKey(notification);
    groups.set(key, { key, notification, count: (groups.get(key)?.count ?? 0) + 1 });
  }
  return [...groups.values()];
}

/**
 * Removes busy notifications from the entries and from the database. All contents under a
 * notification ID leave together, so that the first of them stays the first.
 * @returns the removed rows
 */
async function leaveBusy(
  tx: Tx,
  { entries, surplus, busyIds }: Entered & Busy,
  busyRows: ReadonlySet<bigint>,
): Promise<ReadonlySet<bigint>> {
  for (const { row } of entries.values()) if (busyRows.has(row.id)) busyIds.add(contentsKey(row));
  const left = new Set<bigint>();
  if (busyIds.size === 0) return left;
  const inserted: bigint[] = [];
  for (const [key, { row, isNew }] of entries) {
    if (!busyIds.has(contentsKey(row))) continue;
    entries.delete(key);
    left.add(row.id);
    if (isNew) inserted.push(row.id);
  }
  for (const [key, { id }] of surplus) if (busyIds.has(id)) surplus.delete(key);
  await deleteNotifications(tx, inserted);
  return left;
}

interface Busy {
  /** By `contentsKey`: another transaction has locked one of its rows. */
  readonly busyIds: Set<string>;
}

/**
 * Stores and locks the notifications. The first content under an ID has the variant ''. Other
 * transactions with the same ID wait for that row's lock. Each other content gets a separate row.
 */
async function enter(
  tx: Tx,
  now: Date,
  all: readonly Group[],
  skips: boolean,
): Promise<Entered & Busy> {
  const groups = await withStoredNames(tx, all);
  const plain = groups.map((group) => ({ group, variant: '' }));
  const { entries, busyIds } = await enterAs(tx, now, plain, skips);
  const others = groups.filter(
    ({ key, notification }) => !entries.has(key) && !busyIds.has(contentsKey(notification)),
  );
  if (others.length === 0) return { entries, busyIds, equalHeld: [], surplus: new Map() };
  return { ...(await enterOthers(tx, now, entries, others)), busyIds };
}

/**
 * Messages that the previous release stored under another ID keep that ID. Most messages have the
 * same ID by both rules.
 */
async function withStoredNames(tx: Tx, groups: readonly Group[]): Promise<readonly Group[]> {
  const formerName = ({ channel, former, notificationId }: VerifiedNotification) =>
    former && former.notificationId !== notificationId
      ? { channel, notificationId: former.notificationId, variant: '' }
      : null;
  const renamed = groups.flatMap(({ notification }) => formerName(notification) ?? []);
  if (renamed.length === 0) return groups;
  const stored = await findNames(tx, renamed);
  return groups.map((group) => {
    const name = formerName(group.notification);
    if (name === null || !stored.has(nameKey(name))) return group;
    const { notificationId } = name;
    return { ...group, notification: { ...group.notification, notificationId } };
  });
}

async function enterAs(
  tx: Tx,
  now: Date,
  wanted: readonly { readonly group: Group; readonly variant: string }[],
  skips: boolean,
): Promise<Pick<Entered, 'entries'> & Busy> {
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
  const busyIds = new Set(unlocked.map(([, { notification }]) => contentsKey(notification)));
  const entries = new Map(
    wanted.flatMap(({ group, variant }): [string, Entry][] => {
      const key = nameKey({ ...group.notification, variant });
      const row = inserted.get(key) ?? locked.get(key);
      if (row === undefined || !hasContent(row, group.notification)) return [];
      return [[group.key, { ...group, row, isNew: inserted.has(key), standings: null }]];
    }),
  );
  return { entries, busyIds };
}

/**
 * Copies by row. Leaves out rows that stay as `insertNotifications` wrote them: one copy,
 * `applied`.
 */
function countsToWrite(
  { entries, surplus }: Entered,
  { added, redecided }: EventWrites,
): Map<bigint, number> {
  const applied = new Set<bigint>();
  const held = new Set<bigint>();
  for (const { notificationRowId, outcome } of added) {
    if (outcome.outcome === 'applied') applied.add(notificationRowId);
    if (outcome.outcome === 'held') held.add(notificationRowId);
  }
  const counts = new Map<bigint, number>();
  for (const { row, isNew, count } of entries.values()) {
    const asInserted = isNew && count === 1 && applied.has(row.id) && !held.has(row.id);
    if (!asInserted) addCount(counts, row.id, isNew ? count - 1 : count);
  }
  for (const { stored } of redecided) addCount(counts, stored.notificationRowId, 0);
  for (const { rowId, count } of surplus.values()) addCount(counts, rowId, count);
  return counts;
}

function addCount(counts: Map<bigint, number>, rowId: bigint, count: number): void {
  counts.set(rowId, (counts.get(rowId) ?? 0) + count);
}

function eventsOf(
  { notification, row, standings }: Entry,
  forced: HoldReason | null,
): FreshEvent[] {
  return notification.events.map((event, position) => {
    const standing = standings?.[position] ?? 'judged';
    return {
      notificationRowId: row.id,
      position,
      merchant: notification.merchant,
      event,
      standing,
      forced: standing === 'id_conflict' ? standing : forced,
      stored: null,
    };
  });
}

/**
 * One outcome per notification of the batch; null if it left. Only the first of new ones is no
 * copy.
 */
function report(
  batch: readonly VerifiedNotification[],
  { entries, surplus }: Entered,
  stored: readonly StoredEvent[],
  { added, redecided }: EventWrites,
): (ApplyOutcome | null)[] {
  const again = new Map(redecided.map((one) => [one.stored.id, one.outcome]));
  const events = new Map<bigint, EventOutcome[]>();
  const add = (rowId: bigint, outcome: EventOutcome) =>
    events.set(rowId, [...(events.get(rowId) ?? []), outcome]);
  for (const one of added) add(one.notificationRowId, one.outcome);
  for (const one of stored) add(one.notificationRowId, again.get(one.id) ?? one.outcome);
  const changed = new Set(
    redecided.flatMap((one) => (sameOutcome(one) ? [] : [one.stored.notificationRowId])),
  );
  const told = new Set<bigint>();
  return batch.map((notification) => {
    const key = contentKey(notification);
    if (surplus.has(key)) {
      return { notificationId: notification.notificationId, copy: true, events: [], surplus: true };
    }
    const entry = entries.get(key);
    if (entry === undefined) return null;
    const { id } = entry.row;
    const copy = told.has(id) || !(entry.isNew || changed.has(id));
    told.add(id);
    return { notificationId: notification.notificationId, copy, events: events.get(id) ?? [] };
  });
}

function contentKey({ channel, notificationId, digest }: VerifiedNotification): string {
  return nameKey({ channel, notificationId, variant: digest });
}
