import type { Prisma } from '@payonce/prisma/client';
import { z } from 'zod';
import { time } from './fields.js';

/** What an operator did, and the words given for it. */
export const auditView = z.object({
  id: z.string(),
  /** Who was let in: a person, or `key:` and the name of a bearer key. */
  actor: z.string(),
  /** Whom a program named as the person behind it; not proved. */
  operator: z.string().nullable(),
  action: z.string(),
  /** The event that it was done to. */
  notification: z.string().nullable(),
  position: z.number().int().nullable(),
  reason: z.string().nullable(),
  /** What the event was held for. */
  holdReason: z.string().nullable(),
  createdAt: time,
});

/** Which event an audit row is about; enough for `viewOfAudit`. */
export const aboutEvent = {
  notificationEvent: { select: { notificationRowId: true, position: true } },
} as const satisfies Prisma.AuditLogInclude;

type AuditRow = Prisma.AuditLogGetPayload<{ include: typeof aboutEvent }>;

const told = z.object({
  operator: z.string().nullish(),
  reason: z.string().nullish(),
  holdReason: z.string().nullish(),
});

export function viewOfAudit(row: AuditRow): z.infer<typeof auditView> {
  const said = told.safeParse(row.detail).data ?? {};
  return {
    id: row.id.toString(),
    actor: row.actor,
    operator: said.operator ?? null,
    action: row.action,
    notification: row.notificationEvent?.notificationRowId.toString() ?? null,
    position: row.notificationEvent?.position ?? null,
    reason: said.reason ?? null,
    holdReason: said.holdReason ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}

const id = z.string().nullable();

/** The same with all that it was about, for the log as a whole. */
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

/** What an audit row was about; enough for `viewOfAuditRow`. */
export const aboutAnything = {
  ...aboutEvent,
  order: { select: { merchant: true, number: true } },
  endpoint: { select: { name: true } },
  apiKey: { select: { name: true } },
} as const satisfies Prisma.AuditLogInclude;

export type AuditLogRow = Prisma.AuditLogGetPayload<{ include: typeof aboutAnything }>;

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
