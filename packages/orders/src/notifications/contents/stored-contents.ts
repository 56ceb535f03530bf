/** The stored contents under one notification ID, read when an ID has more than one. */
import type { PaymentEvent } from '@payonce/providers/event';
import type { Tx } from '../../database/transaction.js';
import { readAllEvents } from '../records/event-rows.js';
import { inIdentityOrder, sharedIdKey } from '../records/notification-identity.js';
import { lockNotificationRows } from '../records/notification-locks.js';
import {
  type ContentRow,
  findContents,
  findDigests,
  type SoughtContent,
} from '../records/notification-rows.js';
import type { HeldEvent, StoredEvent } from '../records/stored-event.js';
import { type Content, type ContentEffect, contentEffects } from './compare-contents.js';

/** A stored content with its events. */
export interface StoredContent extends Content {
  readonly row: ContentRow;
  readonly stored: readonly (StoredEvent & { readonly event: PaymentEvent })[];
}

/** By `sharedIdKey`, the first content first. */
export type StoredContents = Map<string, StoredContent[]>;

/**
 * Locks and reads what is stored under these IDs. The caller has locked the first content of each,
 * so that no other transaction adds one. Takes locks in the order of identities.
 */
export async function lockContents(
  tx: Tx,
  sought: readonly SoughtContent[],
): Promise<StoredContents> {
  const rows = await findContents(tx, sought);
  // The caller has locked the first ones.
  const others = rows.filter(({ variant }) => variant !== '');
  await lockNotificationRows(
    tx,
    inIdentityOrder(others, (row) => row).map(({ id }) => id),
  );
  return readContents(tx, rows);
}

/** Without a lock: outcomes may change. */
export async function readStoredContents(
  tx: Tx,
  sought: readonly SoughtContent[],
): Promise<StoredContents> {
  return readContents(tx, await findContents(tx, sought));
}

/**
 * What other contents mean for events that are held as `id_conflict`. Does not lock those contents:
 * an event resolved meanwhile meets this one at their order.
 * @returns by the event's row; for the others: `none`
 */
export async function effectsOnHeld(
  tx: Tx,
  held: readonly HeldEvent[],
): Promise<ReadonlyMap<bigint, ContentEffect>> {
  const conflicts = held.filter(({ outcome }) => outcome.reason === 'id_conflict');
  if (conflicts.length === 0) return new Map();
  const ids = conflicts.map(({ notificationRowId }) => notificationRowId);
  const contents = await readStoredContents(tx, await findDigests(tx, ids));
  const effects = new Map<bigint, ContentEffect>();
  for (const stored of contents.values()) {
    for (const own of stored.filter(({ row }) => ids.includes(row.id))) {
      for (const [index, effect] of contentEffects(own, othersThan(own, stored)).entries()) {
        const event = own.stored[index];
        if (event) effects.set(event.id, effect);
      }
    }
  }
  return effects;
}

export function othersThan(one: StoredContent, all: readonly StoredContent[]): StoredContent[] {
  return all.filter((other) => other !== one);
}

async function readContents(tx: Tx, rows: readonly ContentRow[]): Promise<StoredContents> {
  const events = await readAllEvents(
    tx,
    rows.map(({ id }) => id),
  );
  const byRow = new Map<bigint, (typeof events)[number][]>(rows.map(({ id }) => [id, []]));
  for (const event of events) byRow.get(event.notificationRowId)?.push(event);
  const contents: StoredContents = new Map();
  for (const row of rows) {
    const stored = byRow.get(row.id) ?? [];
    const content = {
      row,
      stored,
      isFirst: row.variant === '',
      digest: row.textDigest,
      events: stored.map(({ event, outcome }) => ({ event, outcome: outcome.outcome })),
    };
    contents.set(sharedIdKey(row), [...(contents.get(sharedIdKey(row)) ?? []), content]);
  }
  return contents;
}
