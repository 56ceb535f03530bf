/** SQL of notifications as received. */
import { Prisma } from '@payonce/prisma/client';
import { recordset } from '../database/recordset.js';
import type { Tx } from '../database/transaction.js';
import type { VerifiedNotification } from './notification.js';

/** A locked notification. */
export interface NotificationRow {
  readonly id: bigint;
  readonly channel: string;
  readonly notificationId: string;
  readonly variant: string;
  /** By the rule of the previous release. */
  readonly digest: string;
  /** By the rule `text`; null in rows that the previous release wrote. */
  readonly textDigest: string | null;
}

/** A notification with the name under which it is stored. */
export interface Named {
  readonly notification: VerifiedNotification;
  /** '' for the first content seen under this ID, else its `formerDigest`. */
  readonly variant: string;
}

/** What the copies of one notification have in common. */
export type NotificationName = Pick<NotificationRow, 'channel' | 'notificationId' | 'variant'>;

/** One text per name. All transactions insert and lock rows in the order of this text. */
export function nameKey({ channel, notificationId, variant }: NotificationName): string {
  return JSON.stringify([channel, notificationId, variant]);
}

/** In the order of their names, in which all transactions lock them. */
export function inOrderOfNames<One>(
  all: readonly One[],
  nameOf: (one: One) => NotificationName,
): One[] {
  return all
    .map((one) => ({ one, key: nameKey(nameOf(one)) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ one }) => one);
}

/** The digest that workers of the previous release compare. */
export function formerDigest({ former, digest }: VerifiedNotification): string {
  return former?.digest ?? digest;
}

/** Whether a row has this content. Each row is judged by the rule of the release that wrote it. */
export function hasContent(
  { digest, textDigest }: Pick<NotificationRow, 'digest' | 'textDigest'>,
  notification: VerifiedNotification,
): boolean {
  return textDigest === null
    ? digest === formerDigest(notification)
    : textDigest === notification.digest;
}

/**
 * Stores new notifications as `applied`. `updateNotifications` corrects other results before any
 * other transaction can see the row, so that most rows are written once. `named` is sorted by name.
 * @returns by `nameKey`, the rows that this transaction inserted
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
    digest: formerDigest(notification),
    text_digest: notification.digest,
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
    text_digest: 'text',
    authenticity: 'text',
    received_at: 'timestamptz',
    body: 'text',
    headers: 'text',
  });
  const rows = await tx.$queryRaw<NotificationRow[]>`
    INSERT INTO notifications (provider, channel, merchant, notification_id, variant, digest,
      text_digest, authenticity, received_at, body, headers, status, created_at)
    SELECT n.provider, n.channel, n.merchant, n.notification_id, n.variant, n.digest,
      n.text_digest, n.authenticity, n.received_at, decode(n.body, 'base64'), n.headers::json, 'applied', ${now}
    FROM ${wanted} AS n ORDER BY n.place
    ON CONFLICT (channel, notification_id, variant) DO NOTHING
    RETURNING id, channel, notification_id AS "notificationId", variant, digest,
      text_digest AS "textDigest"`;
  return byName(rows);
}

/**
 * Locks rows until the transaction ends, in the order given: sorted by name.
 * @param skips leaves out rows that another transaction has locked, instead of waiting for them
 * @returns by `nameKey`
 */
export async function lockNotifications(
  tx: Tx,
  names: readonly NotificationName[],
  skips = false,
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
    SELECT n.id, n.channel, n.notification_id AS "notificationId", n.variant, n.digest,
      n.text_digest AS "textDigest"
    FROM notifications n JOIN ${wanted} AS k
      USING (channel, notification_id, variant)
    ORDER BY k.place FOR UPDATE OF n ${skips ? Prisma.sql`SKIP LOCKED` : Prisma.empty}`;
  return byName(rows);
}

/** Removes rows that this transaction inserted: no other transaction ever sees them. */
export async function deleteNotifications(tx: Tx, ids: readonly bigint[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.$executeRaw`DELETE FROM notifications WHERE id = ANY(${[...ids]}::bigint[])`;
}

function byName(rows: readonly NotificationRow[]): Map<string, NotificationRow> {
  return new Map(rows.map((row) => [nameKey(row), row]));
}

/** Counts copies, and derives a notification's status from its events. */
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
