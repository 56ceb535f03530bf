/** SQL of notifications and their events. */
import { Prisma } from '@payonce/prisma/client';
import { eventFromJson, eventToJson } from '../database/event-json.js';
import { recordset } from '../database/recordset.js';
import type { Tx } from '../database/transaction.js';
import type { PaymentEvent } from '../providers/event.js';
import { nextRetryAt } from './hold.js';
import type { EventOutcome, HoldReason, VerifiedNotification } from './notification.js';
import { type NewlyHeld, tellHeld } from './tell-held.js';

/** A locked notification. */
export interface NotificationRow {
  readonly id: bigint;
  readonly channel: string;
  readonly notificationId: string;
  readonly variant: string;
  readonly digest: string;
}

/** A notification under the name it is stored by. */
export interface Named {
  readonly notification: VerifiedNotification;
  /** '' for the first content seen under this ID, else its digest. */
  readonly variant: string;
}

/** An event stored earlier; held ones carry the decoded event. */
export interface StoredEvent {
  readonly id: bigint;
  readonly notificationRowId: bigint;
  readonly merchant: string;
  readonly position: number;
  readonly outcome: EventOutcome;
  readonly tries: number;
  /** Null for what is settled: nothing more can come of it. */
  readonly event: PaymentEvent | null;
}

/** A stored event that still waits. */
export interface HeldEvent extends StoredEvent {
  readonly event: PaymentEvent;
  readonly outcome: { readonly outcome: 'held'; readonly reason: HoldReason };
}

export function isHeld(stored: StoredEvent): stored is HeldEvent {
  return stored.outcome.outcome === 'held' && stored.event !== null;
}

/** What copies of one notification have in common. */
export type NotificationName = Pick<NotificationRow, 'channel' | 'notificationId' | 'variant'>;

/** One text per name; also the order in which rows are inserted and locked, everywhere. */
export function nameKey({ channel, notificationId, variant }: NotificationName): string {
  return JSON.stringify([channel, notificationId, variant]);
}

/**
 * Stores what is not stored yet, as `applied`: what comes out otherwise is corrected by `updateNotifications`
 * before anybody else can see the row, so that most rows are written once. `named` sorted by name.
 * @returns the new rows, which are this transaction's own, by `nameKey`
 */
export async function insertNotifications(
  tx: Tx,
  now: Date,
  named: readonly Named[],
): Promise<Map<string, NotificationRow>> {
  const all = named.map(({ notification, variant }, place) => ({
    place,
    provider: notification.provider,
    channel: notification.channel,
    merchant: notification.merchant,
    notification_id: notification.notificationId,
    variant,
    digest: notification.digest,
    authenticity: notification.authenticity,
    received_at: notification.receivedAt,
    body: notification.body.toString('base64'),
    headers: JSON.stringify(notification.headers),
  }));
  const wanted = recordset(all, {
    place: 'int',
    provider: 'text',
    channel: 'text',
    merchant: 'text',
    notification_id: 'text',
    variant: 'text',
    digest: 'text',
    authenticity: 'text',
    received_at: 'timestamptz',
    body: 'text',
    headers: 'text',
  });
  const rows = await tx.$queryRaw<NotificationRow[]>`
    INSERT INTO notifications (provider, channel, merchant, notification_id, variant, digest,
      authenticity, received_at, body, headers, status, created_at)
    SELECT n.provider, n.channel, n.merchant, n.notification_id, n.variant, n.digest,
      n.authenticity, n.received_at, decode(n.body, 'base64'), n.headers::json, 'applied', ${now}
    FROM ${wanted} AS n ORDER BY n.place
    ON CONFLICT (channel, notification_id, variant) DO NOTHING
    RETURNING id, channel, notification_id AS "notificationId", variant, digest`;
  return byName(rows);
}

/** Locks them until the transaction ends, in the order given: sorted by name. By `nameKey`. */
export async function lockNotifications(
  tx: Tx,
  names: readonly NotificationName[],
): Promise<Map<string, NotificationRow>> {
  if (names.length === 0) return new Map();
  const keys = names.map(({ channel, notificationId, variant }, place) => ({
    place,
    channel,
    notification_id: notificationId,
    variant,
  }));
  const wanted = recordset(keys, {
    place: 'int',
    channel: 'text',
    notification_id: 'text',
    variant: 'text',
  });
  const rows = await tx.$queryRaw<NotificationRow[]>`
    SELECT n.id, n.channel, n.notification_id AS "notificationId", n.variant, n.digest
    FROM notifications n JOIN ${wanted} AS k
      USING (channel, notification_id, variant)
    ORDER BY k.place FOR UPDATE OF n`;
  return byName(rows);
}

function byName(rows: readonly NotificationRow[]): Map<string, NotificationRow> {
  return new Map(rows.map((row) => [nameKey(row), row]));
}

interface StoredEventRow {
  readonly id: bigint;
  readonly notificationRowId: bigint;
  readonly merchant: string;
  readonly position: number;
  readonly outcome: 'applied' | 'duplicate' | 'ignored' | 'held';
  readonly holdReason: HoldReason | null;
  readonly tries: number;
  readonly event: unknown;
}

/** All events of these notifications, which the caller has locked. */
export async function readEvents(tx: Tx, rowIds: readonly bigint[]): Promise<StoredEvent[]> {
  if (rowIds.length === 0) return [];
  const rows = await tx.$queryRaw<StoredEventRow[]>`
    SELECT id, notification_row_id AS "notificationRowId", merchant, position, outcome,
      hold_reason AS "holdReason", tries, CASE WHEN outcome = 'held' THEN event END AS event
    FROM notification_events WHERE notification_row_id = ANY(${[...rowIds]}::bigint[])
    ORDER BY notification_row_id, position`;
  return rows.map(({ outcome, holdReason, event, ...row }) => ({
    ...row,
    outcome: outcome === 'held' ? { outcome, reason: holdReason ?? 'internal_error' } : { outcome },
    event: event === null ? null : eventFromJson(event),
  }));
}

/** An event of a new notification, with its outcome. */
export interface NewEvent {
  readonly notificationRowId: bigint;
  readonly position: number;
  readonly merchant: string;
  readonly event: PaymentEvent;
  readonly outcome: EventOutcome;
}

/** To go along with `storePlans`; null when there are none. */
export function eventsToInsert(now: Date, events: readonly NewEvent[]): Prisma.Sql | null {
  if (events.length === 0) return null;
  const rows = events.map(({ notificationRowId, position, merchant, event, outcome }) => {
    const reason = reasonOf(outcome);
    return {
      notification_row_id: String(notificationRowId),
      position,
      merchant,
      order_number: storable(event.orderNumber),
      event: eventToJson(event),
      outcome: outcome.outcome,
      hold_reason: reason,
      next_retry_at: reason && nextRetryAt(reason, 0, now),
    };
  });
  const added = recordset(rows, {
    notification_row_id: 'bigint',
    position: 'int',
    merchant: 'text',
    order_number: 'text',
    event: 'text',
    outcome: 'text',
    hold_reason: 'text',
    next_retry_at: 'timestamptz',
  });
  return Prisma.sql`
    INSERT INTO notification_events (notification_row_id, position, merchant, order_number, event,
      outcome, hold_reason, next_retry_at, created_at, decided_at)
    SELECT e.notification_row_id, e.position, e.merchant, e.order_number, e.event::json, e.outcome,
      e.hold_reason, e.next_retry_at, ${now}, ${now}
    FROM ${added} AS e`;
}

/** Once they are stored. */
export async function tellNewlyHeld(tx: Tx, now: Date, events: readonly NewEvent[]): Promise<void> {
  await tellHeld(tx, now, events.flatMap(asHeld));
}

/** A held event that was looked at again. */
export interface Redecided {
  readonly stored: HeldEvent;
  readonly outcome: EventOutcome;
  /** Looked at by the schedule, which goes on to its next step. */
  readonly scheduled: boolean;
}

/** Writes what changed; what stays held for the same reason keeps its place in the schedule. */
export async function updateEvents(
  tx: Tx,
  now: Date,
  redecided: readonly Redecided[],
): Promise<void> {
  const changed = redecided.filter((one) => one.scheduled || !sameOutcome(one));
  if (changed.length === 0) return;
  const rows = changed.map(({ stored, outcome, scheduled }) => {
    const reason = reasonOf(outcome);
    const tries = scheduled ? stored.tries + 1 : 0;
    return {
      id: String(stored.id),
      outcome: outcome.outcome,
      hold_reason: reason,
      tries,
      next_retry_at: reason && nextRetryAt(reason, tries, now),
    };
  });
  const decided = recordset(rows, {
    id: 'bigint',
    outcome: 'text',
    hold_reason: 'text',
    tries: 'int',
    next_retry_at: 'timestamptz',
  });
  await tx.$executeRaw`
    UPDATE notification_events e SET outcome = d.outcome, hold_reason = d.hold_reason,
      tries = d.tries, next_retry_at = d.next_retry_at, decided_at = ${now}
    FROM ${decided} AS d WHERE e.id = d.id`;
  const elsewise = changed.filter((one) => !sameOutcome(one));
  await tellHeld(
    tx,
    now,
    elsewise.flatMap(({ stored, outcome }) => asHeld({ ...stored, outcome })),
  );
}

function asHeld({ outcome, ...one }: Omit<NewlyHeld, 'reason'> & Pick<NewEvent, 'outcome'>) {
  return outcome.outcome === 'held' ? [{ ...one, reason: outcome.reason }] : [];
}

export function sameOutcome({ stored, outcome }: Pick<Redecided, 'stored' | 'outcome'>): boolean {
  return reasonOf(outcome) === stored.outcome.reason;
}

/** Counts copies, and sums a notification's status up from its events. */
export async function updateNotifications(
  tx: Tx,
  now: Date,
  counts: ReadonlyMap<bigint, number>,
): Promise<void> {
  if (counts.size === 0) return;
  const rows = [...counts].map(([id, copies]) => ({ id: String(id), copies }));
  await tx.$executeRaw`
    UPDATE notifications n SET copies = n.copies + k.copies,
      last_copy_at = CASE WHEN k.copies > 0 THEN ${now} ELSE n.last_copy_at END,
      status = (SELECT CASE
          WHEN bool_or(e.outcome = 'held') THEN 'held'
          WHEN bool_or(e.outcome = 'applied') THEN 'applied'
          WHEN bool_or(e.outcome = 'duplicate') THEN 'duplicate'
          ELSE 'ignored' END
        FROM notification_events e WHERE e.notification_row_id = n.id)
    FROM ${recordset(rows, { id: 'bigint', copies: 'int' })} AS k WHERE n.id = k.id`;
}

function reasonOf(outcome: EventOutcome): HoldReason | null {
  return outcome.outcome === 'held' ? outcome.reason : null;
}

/** PostgreSQL's text takes no NUL: such a number finds no order anyway. */
export function storable(text: string | null): string | null {
  return text === null || text.includes('\0') ? null : text;
}
