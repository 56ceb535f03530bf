/** Contents of the batch whose ID has another first content. */
import type { Tx } from '../../database/transaction.js';
import { areEqual, type Content, contentEffects } from '../contents/compare-contents.js';
import { lockContents, othersThan, type StoredContent } from '../contents/stored-contents.js';
import {
  formerDigest,
  hasContent,
  identityKey,
  inIdentityOrder,
  type NotificationIdentity,
  type NotificationRow,
  sharedIdKey,
} from '../records/notification-identity.js';
import { type IdentifiedNotification, insertNotifications } from '../records/notification-rows.js';
import { isHeld } from '../records/stored-event.js';
import type {
  ContentOverLimit,
  DistinctContent,
  EqualHeldEvent,
  NotificationEntry,
  Upserted,
} from './notification-entry.js';

/**
 * Stored contents of encrypted, unsigned messages under one ID. An attacker with several captured
 * refund notices can splice their blocks into any number of them. A rejected content frees its
 * place.
 */
const UNSIGNED_CONTENTS = 5;

/** The known contents under one ID. */
interface KnownContents {
  /** The stored contents, the first one first. */
  readonly stored: readonly StoredContent[];
  /** The new contents of this batch, in its order. */
  readonly added: AddedContent[];
}

interface AddedContent {
  readonly content: DistinctContent;
  readonly identified: IdentifiedNotification;
}

/**
 * Each content gets a separate row, or the row that it already has. The caller has locked the first
 * contents, so that no other transaction adds to these IDs.
 * @param firsts the contents of the batch that are the first of their ID
 */
export async function upsertOtherContents(
  tx: Tx,
  now: Date,
  firsts: ReadonlyMap<string, NotificationEntry>,
  contents: readonly DistinctContent[],
): Promise<Upserted> {
  const known = await readKnown(tx, firsts, contents);
  const entries = new Map(firsts);
  const overLimit = new Map<string, ContentOverLimit>();
  for (const content of contents) {
    const { key, notification, count } = content;
    const { stored, added } = knownUnder(known, content);
    const same = stored.find(({ row }) => hasContent(row, notification));
    if (same) {
      const effects = contentEffects(same, othersThan(same, stored));
      entries.set(key, { ...content, row: same.row, isNew: false, effects });
    } else if (isOverLimit(content, stored, added)) {
      const sharedId = sharedIdKey(notification);
      overLimit.set(key, { rowId: rowOfFirst(stored).id, count, sharedId });
    } else {
      added.push({ content, identified: withFreeVariant(content, stored, added) });
    }
  }
  for (const entry of await insertAdded(tx, now, known)) entries.set(entry.key, entry);
  return { entries, overLimit, equalHeld: equalHeld(known, entries, contents) };
}

async function readKnown(
  tx: Tx,
  firsts: ReadonlyMap<string, NotificationEntry>,
  contents: readonly DistinctContent[],
): Promise<Map<string, KnownContents>> {
  const locked = await lockContents(
    tx,
    contents.map(({ notification }) => ({
      ...notification,
      formerDigest: formerDigest(notification),
    })),
  );
  // The first contents that this batch has just stored have no events in the database yet.
  const undecided = new Map(
    [...firsts.values()].flatMap((entry) => (entry.isNew ? [[entry.row.id, entry] as const] : [])),
  );
  return new Map(
    [...locked].map(([id, all]): [string, KnownContents] => {
      const stored = all.map((one) => {
        const entry = undecided.get(one.row.id);
        return entry ? { ...one, events: undecidedContent(entry).events } : one;
      });
      return [id, { stored, added: [] }];
    }),
  );
}

/** Inserts the new contents of all IDs. @returns their entries */
async function insertAdded(
  tx: Tx,
  now: Date,
  known: ReadonlyMap<string, KnownContents>,
): Promise<NotificationEntry[]> {
  const all = [...known.values()].flatMap(({ added }) => added);
  if (all.length === 0) return [];
  const identified = all.map((one) => one.identified);
  const rows = await insertNotifications(tx, now, inIdentityOrder(identified, identityOf));
  return [...known.values()].flatMap(({ stored, added }) =>
    added.map((one, index): NotificationEntry => {
      const row = rows.get(identityKey(identityOf(one.identified)));
      if (row === undefined) throw new Error('a content was added although its ID is locked');
      const before = added.slice(0, index).map(({ content }) => undecidedContent(content));
      const effects = contentEffects(undecidedContent(one.content), [...stored, ...before]);
      return { ...one.content, row, isNew: true, effects };
    }),
  );
}

function identityOf({ notification, variant }: IdentifiedNotification): NotificationIdentity {
  return { ...notification, variant };
}

function knownUnder(
  known: ReadonlyMap<string, KnownContents>,
  { notification }: DistinctContent,
): KnownContents {
  const found = known.get(sharedIdKey(notification));
  if (found === undefined) throw new Error('a notification that was just stored is gone');
  return found;
}

function rowOfFirst([first]: readonly StoredContent[]): NotificationRow {
  if (first === undefined) throw new Error('a notification that was just stored is gone');
  return first.row;
}

/** The content of a message, as long as none of its events has an outcome. */
function undecidedContent({ notification }: DistinctContent): Content {
  const { digest, events } = notification;
  return { isFirst: false, digest, events: events.map((event) => ({ event, outcome: null })) };
}

function isOverLimit(
  { notification }: DistinctContent,
  stored: readonly StoredContent[],
  added: readonly AddedContent[],
): boolean {
  if (notification.authenticity !== 'encrypted') return false;
  const open = stored.filter(
    ({ row }) => row.authenticity === 'encrypted' && row.status !== 'ignored',
  );
  const unsigned = added.filter(({ content }) => content.notification.authenticity === 'encrypted');
  return open.length + unsigned.length >= UNSIGNED_CONTENTS;
}

/** Two contents with one former digest: the second one has its new digest as variant. */
function withFreeVariant(
  { notification }: DistinctContent,
  stored: readonly StoredContent[],
  added: readonly AddedContent[],
): IdentifiedNotification {
  const variant = formerDigest(notification);
  const isTaken =
    stored.some(({ row }) => row.variant === variant) ||
    added.some(({ identified }) => identified.variant === variant);
  if (!isTaken) return { notification, variant };
  return { notification: { ...notification, former: null }, variant: notification.digest };
}

/**
 * Held events of contents that equal one of the batch. Resolved after it, they are duplicates if
 * the batch applies it.
 */
function equalHeld(
  known: ReadonlyMap<string, KnownContents>,
  entries: ReadonlyMap<string, NotificationEntry>,
  contents: readonly DistinctContent[],
): readonly EqualHeldEvent[] {
  const inBatch = new Set([...entries.values()].map(({ row }) => row.id));
  const found = new Map<bigint, EqualHeldEvent>();
  for (const content of contents) {
    const entry = entries.get(content.key);
    if (entry?.effects?.every((effect) => effect === 'id_conflict') ?? true) continue;
    const { stored } = knownUnder(known, content);
    const equal = stored.filter(
      (one) => !inBatch.has(one.row.id) && areEqual(undecidedContent(content), one),
    );
    for (const one of equal) {
      const effects = contentEffects(one, othersThan(one, stored));
      for (const event of one.stored.filter(isHeld)) {
        found.set(event.id, { stored: event, effect: effects[event.position] ?? 'none' });
      }
    }
  }
  return [...found.values()];
}
