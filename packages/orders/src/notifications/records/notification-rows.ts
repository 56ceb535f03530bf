/** SQL of notifications as received. Their locks: `notification-locks.ts`. */
import { recordset } from '../../database/recordset.js';
import type { Tx } from '../../database/transaction.js';
import type { VerifiedNotification } from './notification.js';
import {
  formerDigest,
  identityKey,
  type NotificationIdentity,
  type NotificationRow,
  type SharedId,
} from './notification-identity.js';

/** A notification and the `variant` of its identity. */
export interface IdentifiedNotification {
  readonly notification: VerifiedNotification;
  readonly variant: string;
}

/**
 * Stores new notifications as `applied`. `updateNotifications` corrects other results before any
 * other transaction can see the row, so that most rows are written once.
 * @param sorted by identity
 * @returns by `identityKey`, the rows that this transaction inserted
 */
export async function insertNotifications(
  tx: Tx,
  now: Date,
  sorted: readonly IdentifiedNotification[],
): Promise<Map<string, NotificationRow>> {
  const all = sorted.map(({ notification, variant }, position) => ({
    position,
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
    position: 'int',
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
    FROM ${wanted} AS n ORDER BY n.position
    ON CONFLICT (channel, notification_id, variant) DO NOTHING
    RETURNING id, channel, notification_id AS "notificationId", variant, digest,
      text_digest AS "textDigest"`;
  return new Map(rows.map((row) => [identityKey(row), row]));
}

/** Removes rows that this transaction inserted: no other transaction ever sees them. */
export async function deleteNotifications(tx: Tx, ids: readonly bigint[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.$executeRaw`DELETE FROM notifications WHERE id = ANY(${[...ids]}::bigint[])`;
}

/** Counts copies, and derives a notification's status from its events. */
export async function updateNotifications(
  tx: Tx,
  now: Date,
  copies: ReadonlyMap<bigint, number>,
): Promise<void> {
  if (copies.size === 0) return;
  const rows = [...copies].map(([id, count]) => ({ id: String(id), copies: count }));
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

/** Stores the digest by the rule `text`. That rule then judges the rows. */
export async function storeTextDigests(
  tx: Tx,
  digests: ReadonlyMap<bigint, string>,
): Promise<void> {
  if (digests.size === 0) return;
  const rows = [...digests].map(([id, digest]) => ({ id: String(id), digest }));
  await tx.$executeRaw`
    UPDATE notifications n SET text_digest = d.digest
    FROM ${recordset(rows, { id: 'bigint', digest: 'text' })} AS d
    WHERE n.id = d.id AND n.text_digest IS NULL`;
}

/** The stored ones of these identities, by `identityKey`. No lock: rows are never removed. */
export async function findIdentities(
  tx: Tx,
  identities: readonly NotificationIdentity[],
): Promise<ReadonlySet<string>> {
  if (identities.length === 0) return new Set();
  const keys = identities.map(({ channel, notificationId, variant }) => ({
    channel,
    notification_id: notificationId,
    variant,
  }));
  const wanted = recordset(keys, { channel: 'text', notification_id: 'text', variant: 'text' });
  const rows = await tx.$queryRaw<NotificationIdentity[]>`
    SELECT n.channel, n.notification_id AS "notificationId", n.variant
    FROM ${wanted} AS k JOIN notifications n USING (channel, notification_id, variant)`;
  return new Set(rows.map(identityKey));
}

export interface ContentRow extends NotificationRow {
  readonly authenticity: 'signed' | 'encrypted';
  readonly status: 'held' | 'applied' | 'duplicate' | 'ignored';
}

/** A content that is looked for among those of its ID, however many there are. */
export interface SoughtContent extends SharedId {
  readonly digest: string;
  readonly formerDigest: string;
}

/**
 * Contents of one ID that others are compared with. A provider makes a handful. More of them come
 * only from a holder of its key, and further ones are conflicts.
 */
const COMPARED = 50;

/** What is stored under these IDs, in the order of the rows. */
export async function findContents(
  tx: Tx,
  sought: readonly SoughtContent[],
): Promise<ContentRow[]> {
  if (sought.length === 0) return [];
  const keys = sought.map((one) => ({
    channel: one.channel,
    notification_id: one.notificationId,
    text_digest: one.digest,
    digest: one.formerDigest,
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

/** The contents of these rows, to be looked for among those of their IDs. */
export function findDigests(tx: Tx, ids: readonly bigint[]): Promise<SoughtContent[]> {
  return tx.$queryRaw<SoughtContent[]>`
    SELECT channel, notification_id AS "notificationId", digest AS "formerDigest",
      coalesce(text_digest, '') AS digest
    FROM notifications WHERE id = ANY(${[...ids]}::bigint[])`;
}
