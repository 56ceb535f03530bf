import { z } from 'zod';
import type { AuditLogRow, AuditRow } from '../reads/audit-log.js';
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

const id = z.string().nullable();

/** The same with every object concerned, for the complete log. */
export const auditRowView = auditView.extend({
  order: z.object({ merchant: z.string(), orderNumber: z.string() }).nullable(),
  deadLetter: id,
  delivery: id,
  endpoint: id,
  apiKey: id,
  detail: z
    .record(z.string(), z.unknown())
    .describe('The subject and the result, as recorded at that time.'),
});

export function viewOfAuditRow(row: AuditLogRow): z.infer<typeof auditRowView> {
  const { order } = row;
  return {
    ...viewOfAudit(row),
    order: order && { merchant: order.merchant, orderNumber: order.number },
    deadLetter: row.deadLetterId?.toString() ?? null,
    delivery: row.deliveryId?.toString() ?? null,
    endpoint: row.endpointId?.toString() ?? null,
    apiKey: row.apiKeyId?.toString() ?? null,
    detail: auditRowView.shape.detail.safeParse(row.detail).data ?? {},
  };
}
