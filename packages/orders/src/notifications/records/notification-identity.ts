/** What identifies a notification and each of its contents. Pure. */
import type { VerifiedNotification } from './notification.js';

/** The ID that all contents of a notification share. */
export interface SharedId {
  readonly channel: string;
  readonly notificationId: string;
}

/** The unique key of a row. */
export interface NotificationIdentity extends SharedId {
  /** '' for the first content seen under this ID, else its `formerDigest`. */
  readonly variant: string;
}

/** One text per ID. */
export function sharedIdKey({ channel, notificationId }: SharedId): string {
  return JSON.stringify([channel, notificationId]);
}

/** One text per identity. All transactions insert and lock rows in the order of this text. */
export function identityKey({ channel, notificationId, variant }: NotificationIdentity): string {
  return JSON.stringify([channel, notificationId, variant]);
}

/** In the order of their identities, in which all transactions lock them. */
export function inIdentityOrder<One>(
  all: readonly One[],
  identityOf: (one: One) => NotificationIdentity,
): One[] {
  return all
    .map((one) => ({ one, key: identityKey(identityOf(one)) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ one }) => one);
}

/** The digest that workers of the previous release compare. */
export function formerDigest({ former, digest }: VerifiedNotification): string {
  return former?.digest ?? digest;
}

interface RowDigests {
  /** By the rule of the previous release. */
  readonly digest: string;
  /** By the rule `text`; null in rows that the previous release wrote. */
  readonly textDigest: string | null;
}

/** Whether a row has this content. Each row is judged by the rule of the release that wrote it. */
export function hasContent(
  { digest, textDigest }: RowDigests,
  notification: VerifiedNotification,
): boolean {
  return textDigest === null
    ? digest === formerDigest(notification)
    : textDigest === notification.digest;
}

/** A row of `notifications`, without its bytes. */
export interface NotificationRow extends NotificationIdentity, RowDigests {
  readonly id: bigint;
}
