/**
 * SQL that locks notifications until the transaction ends. A transaction that waits for locks takes
 * them in the order of the identities; one that skips locked rows may take them in any order.
 */
import { Prisma } from '@payonce/prisma/client';
import { recordset } from '../../database/recordset.js';
import type { Tx } from '../../database/transaction.js';
import type { OrderKey } from '../../orders/order.js';
import {
  identityKey,
  type NotificationIdentity,
  type NotificationRow,
} from './notification-identity.js';

/**
 * @param sorted by identity
 * @param skipsLocked leaves out rows that another transaction has locked, instead of waiting
 * @returns by `identityKey`
 */
export async function lockNotifications(
  tx: Tx,
  sorted: readonly NotificationIdentity[],
  skipsLocked = false,
): Promise<Map<string, NotificationRow>> {
  if (sorted.length === 0) return new Map();
  const keys = sorted.map(({ channel, notificationId, variant }, position) => ({
    position,
    channel,
    notification_id: notificationId,
    variant,
  }));
  const wanted = recordset(keys, {
    position: 'int',
    channel: 'text',
    notification_id: 'text',
    variant: 'text',
  });
  const rows = await tx.$queryRaw<NotificationRow[]>`
    SELECT n.id, n.channel, n.notification_id AS "notificationId", n.variant, n.digest,
      n.text_digest AS "textDigest"
    FROM notifications n JOIN ${wanted} AS k
      USING (channel, notification_id, variant)
    ORDER BY k.position FOR UPDATE OF n ${skipsLocked ? Prisma.sql`SKIP LOCKED` : Prisma.empty}`;
  return new Map(rows.map((row) => [identityKey(row), row]));
}

/** Locks these rows one after the other. `sorted` has the order of their identities. */
export async function lockNotificationRows(tx: Tx, sorted: readonly bigint[]): Promise<void> {
  await tx.$queryRaw`
    SELECT n.id FROM unnest(${[...sorted]}::bigint[]) WITH ORDINALITY AS k (id, position)
    JOIN notifications n USING (id) ORDER BY k.position FOR UPDATE OF n`;
}

export async function lockNotificationRow(tx: Tx, id: bigint): Promise<void> {
  await tx.$queryRaw`SELECT id FROM notifications WHERE id = ${id} FOR UPDATE`;
}

/** Waits for no lock. @returns the rows that are locked now */
export async function tryLockNotificationRows(tx: Tx, ids: readonly bigint[]): Promise<bigint[]> {
  const rows = await tx.$queryRaw<{ id: bigint }[]>`
    SELECT id FROM notifications WHERE id = ANY(${[...ids]}::bigint[])
    ORDER BY id FOR UPDATE SKIP LOCKED`;
  return rows.map(({ id }) => id);
}

/**
 * Locks notifications with an event that waits for one of these orders. Waits for no lock.
 * @returns the rows that are locked now
 */
export async function tryLockWaiting(
  tx: Tx,
  keys: readonly OrderKey[],
  limit: number,
): Promise<bigint[]> {
  const rows = await tx.$queryRaw<{ id: bigint }[]>`
    SELECT n.id FROM notifications n WHERE n.id IN (
      SELECT e.notification_row_id FROM notification_events e
      JOIN unnest(${keys.map((key) => key.merchant)}::text[], ${keys.map((key) => key.number)}::text[])
        AS k (merchant, number) ON e.merchant = k.merchant AND e.order_number = k.number
      WHERE e.outcome = 'held' AND e.hold_reason = 'unknown_order'
    ) ORDER BY n.id LIMIT ${limit} FOR UPDATE OF n SKIP LOCKED`;
  return rows.map(({ id }) => id);
}

/** What another transaction may have changed of a row before it was locked. */
export interface LockedState {
  readonly id: bigint;
  readonly status: string;
  readonly textDigest: string | null;
}

/** The same; the first content of an ID before the others. */
export function tryLockContents(tx: Tx, ids: readonly bigint[]): Promise<LockedState[]> {
  return tx.$queryRaw<LockedState[]>`
    SELECT id, status, text_digest AS "textDigest" FROM notifications
    WHERE id = ANY(${[...ids]}::bigint[]) ORDER BY variant <> '', id FOR UPDATE SKIP LOCKED`;
}
