/** The first step of a batch: inserts its notifications, and locks those that are stored. */
import type { Tx } from '../../database/transaction.js';
import type { VerifiedNotification } from '../records/notification.js';
import {
  hasContent,
  identityKey,
  type NotificationIdentity,
  sharedIdKey,
} from '../records/notification-identity.js';
import { lockNotifications } from '../records/notification-locks.js';
import {
  deleteNotifications,
  findIdentities,
  insertNotifications,
} from '../records/notification-rows.js';
import type { DistinctContent, NotificationEntry, Upserted } from './notification-entry.js';
import { upsertOtherContents } from './upsert-other-contents.js';

interface LockedElsewhere {
  /** By `sharedIdKey`: another transaction has locked one of its rows. */
  readonly lockedElsewhere: Set<string>;
}

/**
 * The first content under an ID has the variant ''. Other transactions with the same ID wait for
 * that row's lock. Each other content gets a separate row.
 * @param skipsLocked leaves out notifications that another transaction has locked
 */
export async function upsertNotifications(
  tx: Tx,
  now: Date,
  batch: readonly DistinctContent[],
  skipsLocked: boolean,
): Promise<Upserted & LockedElsewhere> {
  const contents = await withStoredIds(tx, batch);
  const { entries, lockedElsewhere } = await upsertFirst(tx, now, contents, skipsLocked);
  const others = contents.filter(
    ({ key, notification }) => !entries.has(key) && !lockedElsewhere.has(sharedIdKey(notification)),
  );
  if (others.length === 0) {
    return { entries, lockedElsewhere, equalHeld: [], overLimit: new Map() };
  }
  return { ...(await upsertOtherContents(tx, now, entries, others)), lockedElsewhere };
}

/**
 * Messages that the previous release stored under another ID keep that ID. Most messages have the
 * same ID by both rules.
 */
async function withStoredIds(
  tx: Tx,
  contents: readonly DistinctContent[],
): Promise<readonly DistinctContent[]> {
  const formerIdentities = contents.flatMap(({ notification }) => {
    return formerIdentity(notification) ?? [];
  });
  if (formerIdentities.length === 0) return contents;
  const stored = await findIdentities(tx, formerIdentities);
  return contents.map((content) => {
    const former = formerIdentity(content.notification);
    if (former === null || !stored.has(identityKey(former))) return content;
    const { notificationId } = former;
    return { ...content, notification: { ...content.notification, notificationId } };
  });
}

function formerIdentity({
  channel,
  former,
  notificationId,
}: VerifiedNotification): NotificationIdentity | null {
  return former && former.notificationId !== notificationId
    ? { channel, notificationId: former.notificationId, variant: '' }
    : null;
}

/** @returns the entries of contents that are the first of their ID, by `contentKey` */
async function upsertFirst(
  tx: Tx,
  now: Date,
  contents: readonly DistinctContent[],
  skipsLocked: boolean,
): Promise<Pick<Upserted, 'entries'> & LockedElsewhere> {
  const firsts = new Map<string, VerifiedNotification>();
  for (const { notification } of contents) {
    const key = identityKey(firstIdentity(notification));
    if (!firsts.has(key)) firsts.set(key, notification);
  }
  const sorted = [...firsts].sort(([a], [b]) => (a < b ? -1 : 1));
  const inserted = await insertNotifications(
    tx,
    now,
    sorted.map(([, notification]) => ({ notification, variant: '' })),
  );
  const stored = sorted.filter(([key]) => !inserted.has(key));
  const locked = await lockNotifications(
    tx,
    stored.map(([, notification]) => firstIdentity(notification)),
    skipsLocked,
  );
  const skipped = stored.filter(([key]) => !locked.has(key));
  const entries = contents.flatMap((content): [string, NotificationEntry][] => {
    const key = identityKey(firstIdentity(content.notification));
    const row = inserted.get(key) ?? locked.get(key);
    if (row === undefined || !hasContent(row, content.notification)) return [];
    return [[content.key, { ...content, row, isNew: inserted.has(key), effects: null }]];
  });
  return {
    entries: new Map(entries),
    lockedElsewhere: new Set(skipped.map(([, notification]) => sharedIdKey(notification))),
  };
}

function firstIdentity({ channel, notificationId }: VerifiedNotification): NotificationIdentity {
  return { channel, notificationId, variant: '' };
}

/**
 * Takes notifications out of the batch that another transaction has locked, and those with an order
 * that is locked. Deletes their rows if this transaction inserted them. All contents under an ID
 * leave together, so that the first of them stays the first.
 * @returns the rows that left
 */
export async function leaveLocked(
  tx: Tx,
  { entries, overLimit, lockedElsewhere }: Upserted & LockedElsewhere,
  lockedRows: ReadonlySet<bigint>,
): Promise<ReadonlySet<bigint>> {
  for (const { row } of entries.values()) {
    if (lockedRows.has(row.id)) lockedElsewhere.add(sharedIdKey(row));
  }
  const left = new Set<bigint>();
  if (lockedElsewhere.size === 0) return left;
  const inserted: bigint[] = [];
  for (const [key, { row, isNew }] of entries) {
    if (!lockedElsewhere.has(sharedIdKey(row))) continue;
    entries.delete(key);
    left.add(row.id);
    if (isNew) inserted.push(row.id);
  }
  for (const [key, { sharedId }] of overLimit) {
    if (lockedElsewhere.has(sharedId)) overLimit.delete(key);
  }
  await deleteNotifications(tx, inserted);
  return left;
}
