import { z } from 'zod';
import type { AuditLogRow } from '../reads/audit-log.js';
import { auditView, viewOfAudit } from '../schemas/audit.js';

const id = z.string().nullable();

/** An operator's action with every object concerned, for the complete log. */
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
