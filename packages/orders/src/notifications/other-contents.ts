import type { Tx } from '../database/transaction.js';
import { contentsKey, lockContents, type StoredContent } from './content-rows.js';
import { type Content, saysTheSame, standingsOf } from './contents.js';
import type { Entered, Entry, Group } from './entered.js';
import { isHeld } from './event-rows.js';
import {
  formerDigest,
  hasContent,
  inOrderOfNames,
  insertNotifications,
  type Named,
  type NotificationName,
  type NotificationRow,
  nameKey,
} from './notification-rows.js';

/**
 * Stored contents of encrypted, unsigned messages under one ID. An attacker with several captured
 * refund notices can splice their blocks into any number of them. A rejected content frees its
 * place.
 */
const UNSIGNED_CONTENTS = 5;

/** The known contents under one ID. */
interface Known {
  /** The stored contents, the first one first. */
  readonly stored: readonly StoredContent[];
  /** The new contents of this batch, in its order. */
  readonly added: Added[];
}

interface Added {
  readonly group: Group;
  readonly named: Named;
  readonly content: Content;
}

/**
 * Messages whose ID has another first content. Each gets a separate row, or the row that it already
 * has. The caller has locked the first contents, so that no other transaction adds to these IDs.
 * @param first those of the batch that are the first content of their ID
 */
export async function enterOthers(
  tx: Tx,
  now: Date,
  first: ReadonlyMap<string, Entry>,
  groups: readonly Group[],
): Promise<Entered> {
  const known = await readKnown(tx, first, groups);
  const entries = new Map(first);
  const surplus: Entered['surplus'] = new Map();
  for (const group of groups) {
    const { stored, added } = knownUnder(known, group);
    const same = stored.find(({ row }) => hasContent(row, group.notification));
    if (same) {
      const standings = standingsOf(same, others(same, stored));
      entries.set(group.key, { ...group, row: same.row, isNew: false, standings });
    } else if (isSurplus(group, stored, added)) {
      const id = contentsKey(group.notification);
      surplus.set(group.key, { rowId: rowOfFirst(stored).id, count: group.count, id });
    } else {
      const named = { notification: group.notification, variant: formerDigest(group.notification) };
      added.push({ group, named: freeName(named, stored, added), content: contentOf(group) });
    }
  }
  const all = [...known.values()].flatMap(({ added }) => added);
  const rows = await insert(tx, now, all);
  for (const { stored, added } of known.values()) {
    for (const [index, { group, named, content }] of added.entries()) {
      const row = rows.get(nameKey(nameOf(named)));
      if (row === undefined) throw new Error('a content was added although its ID is locked');
      const before = added.slice(0, index).map((one) => one.content);
      const standings = standingsOf(content, [...stored, ...before]);
      entries.set(group.key, { ...group, row, isNew: true, standings });
    }
  }
  return { entries, surplus, equalHeld: equalHeld(known, entries, groups) };
}

async function readKnown(
  tx: Tx,
  first: ReadonlyMap<string, Entry>,
  groups: readonly Group[],
): Promise<Map<string, Known>> {
  const contents = await lockContents(
    tx,
    groups.map(({ notification }) => ({
      ...notification,
      formerDigest: formerDigest(notification),
    })),
  );
  // The first contents that this batch has just stored have no events in the database yet.
  const undecided = new Map(
    [...first.values()].flatMap((entry) => (entry.isNew ? [[entry.row.id, entry] as const] : [])),
  );
  return new Map(
    [...contents].map(([id, stored]): [string, Known] => [
      id,
      {
        added: [],
        stored: stored.map((one) => {
          const entry = undecided.get(one.row.id);
          return entry ? { ...one, events: contentOf(entry).events } : one;
        }),
      },
    ]),
  );
}

function knownUnder(known: ReadonlyMap<string, Known>, { notification }: Group): Known {
  const found = known.get(contentsKey(notification));
  if (found === undefined) throw new Error('a notification that was just stored is gone');
  return found;
}

function rowOfFirst([first]: readonly StoredContent[]): NotificationRow {
  if (first === undefined) throw new Error('a notification that was just stored is gone');
  return first.row;
}

function contentOf({ notification }: Group): Content {
  const { digest, events } = notification;
  return { isFirst: false, digest, events: events.map((event) => ({ event, outcome: null })) };
}

function isSurplus(
  { notification }: Group,
  stored: readonly StoredContent[],
  added: readonly Added[],
): boolean {
  if (notification.authenticity !== 'encrypted') return false;
  const open = stored.filter(
    ({ row }) => row.authenticity === 'encrypted' && row.status !== 'ignored',
  );
  const fresh = added.filter(({ group }) => group.notification.authenticity === 'encrypted');
  return open.length + fresh.length >= UNSIGNED_CONTENTS;
}

/** Two texts with one former digest: the second one is named by its new digest. */
function freeName(named: Named, stored: readonly StoredContent[], added: readonly Added[]): Named {
  const isTaken =
    stored.some(({ row }) => row.variant === named.variant) ||
    added.some((one) => one.named.variant === named.variant);
  if (!isTaken) return named;
  const { notification } = named;
  return { notification: { ...notification, former: null }, variant: notification.digest };
}

async function insert(
  tx: Tx,
  now: Date,
  added: readonly Added[],
): Promise<Map<string, NotificationRow>> {
  if (added.length === 0) return new Map();
  const named = added.map((one) => one.named);
  return insertNotifications(tx, now, inOrderOfNames(named, nameOf));
}

function nameOf({ notification, variant }: Named): NotificationName {
  return { ...notification, variant };
}

/**
 * Held events of contents that equal one of the batch. Decided after it, they are duplicates if the
 * batch applies it.
 */
function equalHeld(
  known: ReadonlyMap<string, Known>,
  entries: ReadonlyMap<string, Entry>,
  groups: readonly Group[],
): Entered['equalHeld'] {
  const inBatch = new Set([...entries.values()].map(({ row }) => row.id));
  const found = new Map<bigint, Entered['equalHeld'][number]>();
  for (const group of groups) {
    const entry = entries.get(group.key);
    if (entry?.standings?.every((standing) => standing === 'id_conflict') ?? true) continue;
    const { stored } = knownUnder(known, group);
    const equal = stored.filter(
      (one) => !inBatch.has(one.row.id) && saysTheSame(contentOf(group), one),
    );
    for (const one of equal) {
      const standings = standingsOf(one, others(one, stored));
      for (const event of one.stored.filter(isHeld)) {
        found.set(event.id, { stored: event, standing: standings[event.position] ?? 'judged' });
      }
    }
  }
  return [...found.values()];
}

function others(one: StoredContent, all: readonly StoredContent[]): StoredContent[] {
  return all.filter((other) => other !== one);
}
