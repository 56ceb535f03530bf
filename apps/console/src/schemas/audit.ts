import { z } from 'zod';
import { time } from './fields.js';

/** An operator's action, with the reason given. */
export const auditView = z.object({
  id: z.string(),
  /** The authenticated actor: a person, or `key:` and the name of a bearer key. */
  actor: z.string(),
  /** The person that a program names as the one behind it; not proved. */
  operator: z.string().nullable(),
  action: z.string(),
  /** The event concerned. */
  notification: z.string().nullable(),
  position: z.number().int().nullable(),
  reason: z.string().nullable(),
  /** The reason for which the event was held. */
  holdReason: z.string().nullable(),
  createdAt: time,
});

interface AuditRow {
  readonly id: bigint;
  readonly actor: string;
  readonly action: string;
  readonly detail: unknown;
  readonly createdAt: Date;
  readonly notificationEvent: {
    readonly notificationRowId: bigint;
    readonly position: number;
  } | null;
}

const detailFields = z.object({
  operator: z.string().nullish(),
  reason: z.string().nullish(),
  holdReason: z.string().nullish(),
});

export function viewOfAudit(row: AuditRow): z.infer<typeof auditView> {
  const detail = detailFields.safeParse(row.detail).data ?? {};
  return {
    id: row.id.toString(),
    actor: row.actor,
    operator: detail.operator ?? null,
    action: row.action,
    notification: row.notificationEvent?.notificationRowId.toString() ?? null,
    position: row.notificationEvent?.position ?? null,
    reason: detail.reason ?? null,
    holdReason: detail.holdReason ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}
