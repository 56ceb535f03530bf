import type { Tx } from './transaction.js';

/** What people do to held events and dead letters; the database knows no other action. */
export type AuditAction =
  | 'event.retry'
  | 'event.accept'
  | 'event.reject'
  | 'dead_letter.redrive'
  | 'dead_letter.dismiss';

/** Who does it, and why, in their own words. Stored and shown, so never a secret, and no NUL. */
export interface Operator {
  readonly actor: string;
  readonly reason: string | null;
}

export interface AuditEntry {
  readonly action: AuditAction;
  readonly orderId?: bigint | null;
  readonly notificationEventId?: bigint;
  readonly deadLetterId?: bigint;
  /** What it was about and what came of it; bigint as text. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Written in the transaction of what it tells, so that neither is there without the other. */
export async function writeAudit(
  tx: Tx,
  now: Date,
  { actor, reason }: Operator,
  { action, orderId, notificationEventId, deadLetterId, detail }: AuditEntry,
): Promise<bigint> {
  const [row] = await tx.$queryRaw<{ id: bigint }[]>`
    INSERT INTO audit_log
      (actor, action, order_id, notification_event_id, dead_letter_id, detail, created_at)
    VALUES (${actor}, ${action}, ${orderId ?? null}::bigint, ${notificationEventId ?? null}::bigint,
      ${deadLetterId ?? null}::bigint, ${JSON.stringify({ reason, ...detail })}::jsonb, ${now})
    RETURNING id`;
  if (row === undefined) throw new Error('an audit row was not written');
  return row.id;
}
