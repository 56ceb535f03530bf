import type { Prisma } from '@payonce/prisma/client';
import type { Tx } from './transaction.js';

/** The actions of people and programs. The database accepts no other action. */
export const AUDIT_ACTIONS = [
  'event.retry',
  'event.accept',
  'event.reject',
  'dead_letter.redrive',
  'dead_letter.dismiss',
  'delivery.redeliver',
  'delivery.reject',
  'endpoint.create',
  'endpoint.update',
  'endpoint.rotate_secret',
  'endpoint.enable',
  'endpoint.disable',
  'endpoint.delete',
  'api_key.create',
  'api_key.revoke',
  'notification.view_raw',
  'order.close',
  'trade.release',
  'trade.reinstate',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** The actor and the reason, in the actor's words. Stored and shown: never a secret, and no NUL. */
export interface Operator {
  /** Proved: a person who has logged in, or `key:` and the name of a bearer key. */
  readonly actor: string;
  readonly reason: string | null;
  /** The person on whose behalf a program says it acts: not proved. */
  readonly onBehalfOf?: string | undefined;
}

export interface AuditEntry {
  readonly action: AuditAction;
  readonly orderId?: bigint | null;
  readonly notificationEventId?: bigint;
  readonly deadLetterId?: bigint;
  readonly deliveryId?: bigint;
  readonly endpointId?: bigint;
  readonly apiKeyId?: bigint;
  /** The object and the result of the action; bigint as text. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Runs in the transaction of the action, so that neither exists without the other. */
export async function writeAudit(
  tx: Tx,
  now: Date,
  { actor, reason, onBehalfOf }: Operator,
  entry: AuditEntry,
): Promise<bigint> {
  const said = { reason, ...(onBehalfOf && { operator: onBehalfOf }), ...entry.detail };
  // As the JSON column has it: dates as text.
  const detail = JSON.parse(JSON.stringify(said)) as Prisma.InputJsonObject;
  const data = { ...entry, actor, detail, createdAt: now };
  const { id } = await tx.auditLog.create({ data, select: { id: true } });
  return id;
}
