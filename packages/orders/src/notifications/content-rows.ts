/** SQL of the contents under one notification ID, read when an ID has more than one. */
import { recordset } from '../database/recordset.js';
import type { Tx } from '../database/transaction.js';
import { type Content, type Standing, standingsOf } from './contents.js';
import { type HeldEvent, readAllEvents, type StoredEvent } from './event-rows.js';
import {
  inOrderOfNames,
  type NotificationName,
  type NotificationRow,
  nameKey,
} from './notification-rows.js';

/**
 * Contents of one ID that others are compared with. A provider makes a handful. More of them come
 * only from a holder of its key, and further ones are conflicts.
 */
const COMPARED = 50;

/** The ID that contents share. */
export type ContentsId = Pick<NotificationName, 'channel' | 'notificationId'>;

/** A stored content with its events. */
export interface StoredContent extends Content {
  readonly row: ContentRow;
  readonly stored: readonly (StoredEvent & { readonly event: NonNullable<StoredEvent['event']> })[];
}

export interface ContentRow extends NotificationRow {
  readonly authenticity: 'signed' | 'encrypted';
  readonly status: 'held' | 'applied' | 'duplicate' | 'ignored';
}

/** One text per ID. */
export function contentsKey({ channel, notificationId }: ContentsId): string {
  return JSON.stringify([channel, notificationId]);
}

/** A content that is looked for among those of its ID, however many there are. */
export interface Sought extends ContentsId {
  readonly digest: string;
  readonly formerDigest: string;
}

/**
 * Locks and reads what is stored under these IDs. The caller has locked the first content of each,
 * so that no other transaction adds one. Takes locks in the order of names.
 * @returns by `contentsKey`, the first content first
 */
export async function lockContents(
  tx: Tx,
  sought: readonly Sought[],
): Promise<Map<string, StoredContent[]>> {
  const rows = await findContents(tx, sought);
  // The caller has locked the first ones.
  const others = rows.filter(({ variant }) => variant !== '');
  const ids = inOrderOfNames(others, (row) => row).map(({ id }) => id);
  await tx.$queryRaw`
    SELECT n.id FROM unnest(${ids}::bigint[]) WITH ORDINALITY AS k (id, place)
    JOIN notifications n USING (id) ORDER BY k.place FOR UPDATE OF n`;
  return readContents(tx, rows);
}

/**
 * The standing of events held as `id_conflict`, given the other contents under their IDs. Does not
 * lock those contents: an event decided meanwhile meets this one at their order.
 * @returns by the event's row; the others are judged like any event
 */
export async function standingsOfHeld(
  tx: Tx,
  held: readonly HeldEvent[],
): Promise<ReadonlyMap<bigint, Standing>> {
  const conflicts = held.filter(({ outcome }) => outcome.reason === 'id_conflict');
  if (conflicts.length === 0) return new Map();
  const ids = conflicts.map(({ notificationRowId }) => notificationRowId);
  const names = await tx.$queryRaw<Sought[]>`
    SELECT channel, notification_id AS "notificationId", digest AS "formerDigest",
      coalesce(text_digest, '') AS digest
    FROM notifications WHERE id = ANY(${ids}::bigint[])`;
  const contents = await findStored(tx, names);
  const standings = new Map<bigint, Standing>();
  for (const stored of contents.values()) {
    for (const own of stored.filter(({ row }) => ids.includes(row.id))) {
      const others = stored.filter((other) => other !== own);
      for (const [index, standing] of standingsOf(own, others).entries()) {
        const event = own.stored[index];
        if (event) standings.set(event.id, standing);
      }
    }
  }
  return standings;
}

/** Without a lock: outcomes may change. @returns by `contentsKey`, the first content first */
export async function findStored(
  tx: Tx,
  sought: readonly Sought[],
): Promise<Map<string, StoredContent[]>> {
  return readContents(tx, await findContents(tx, sought));
}

async function readContents(
  tx: Tx,
  rows: readonly ContentRow[],
): Promise<Map<string, StoredContent[]>> {
  const events = await readAllEvents(
    tx,
    rows.map(({ id }) => id),
  );
  const byRow = new Map<bigint, (typeof events)[number][]>(rows.map(({ id }) => [id, []]));
  for (const event of events) byRow.get(event.notificationRowId)?.push(event);
  const contents = new Map<string, StoredContent[]>();
  for (const row of rows) {
    const stored = byRow.get(row.id) ?? [];
    const key = contentsKey(row);
    contents.set(key, [
      ...(contents.get(key) ?? []),
      {
        row,
        stored,
        isFirst: row.variant === '',
        digest: row.textDigest,
        events: stored.map(({ event, outcome }) => ({ event, outcome: outcome.outcome })),
      },
    ]);
  }
  return contents;
}

async function findContents(tx: Tx, sought: readonly Sought[]): Promise<ContentRow[]> {
  if (sought.length === 0) return [];
  const keys = sought.map(({ channel, notificationId, digest, formerDigest }) => ({
    channel,
    notification_id: notificationId,
    text_digest: digest,
    digest: formerDigest,
  }));
  const wanted = recordset(keys, {
    channel: 'text',
    notification_id: 'text',
    text_digest: 'text',
    digest: 'text',
  });
  return tx.$queryRaw<ContentRow[]>`
    SELECT DISTINCT n.id, n.channel, n.notification_id AS "notificationId", n.variant, n.digest,
      n.text_digest AS "textDigest", n.authenticity, n.status
    FROM ${wanted} AS k JOIN notifications n USING (channel, notification_id)
    WHERE n.variant = '' OR n.text_digest = k.text_digest OR n.digest = k.digest
      OR n.id IN (
        SELECT m.id FROM notifications m
        WHERE m.channel = k.channel AND m.notification_id = k.notification_id
        ORDER BY m.id LIMIT ${COMPARED})
    ORDER BY n.id`;
}

/** Which of these names are stored, by `nameKey`. Needs no lock: rows are never removed. */
export async function findNames(
  tx: Tx,
  names: readonly NotificationName[],
): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set();
  const keys = names.map(({ channel, notificationId, variant }) => ({
    channel,
    notification_id: notificationId,
    variant,
  }));
  const wanted = recordset(keys, { channel: 'text', notification_id: 'text', variant: 'text' });
  const rows = await tx.$queryRaw<NotificationName[]>`
    SELECT n.channel, n.notification_id AS "notificationId", n.variant
    FROM ${wanted} AS k JOIN notifications n USING (channel, notification_id, variant)`;
  return new Set(rows.map(nameKey));
}
