import { isUtf8 } from 'node:buffer';
import type { Prisma } from '@payonce/prisma/client';
import { z } from 'zod';
import type { MaskedBody } from '../masking/body.js';
import { auditView, viewOfAudit } from '../schemas/audit.js';
import { time } from '../schemas/fields.js';

/**
 * The decoded event in our terms. Only the fields named here leave the console. So a payer's ID
 * cannot leave with an event, even if an adapter put one there by mistake.
 */
const decodedEvent = z.object({
  kind: z.string(),
  rail: z.string().optional(),
  orderNumber: z.string().nullish(),
  trade: z.string().nullish(),
  amount: z.string().nullish(),
  currency: z.string().optional(),
  payeeMatches: z.boolean().optional(),
  signed: z.boolean().optional(),
  says: z.string().optional(),
  facts: z
    .array(
      z.object({
        kind: z.string(),
        rail: z.string().optional(),
        by: z.string().optional(),
        trade: z.string().nullish(),
        refundId: z.string().optional(),
        status: z.string().optional(),
        amount: z.string().optional(),
        at: z.string().nullish(),
      }),
    )
    .optional(),
});

export const eventView = z.object({
  /** The notification's ID in this API. */
  notification: z.string(),
  /** From 0; combined orders carry several events. */
  position: z.number().int(),
  merchant: z.string(),
  orderNumber: z.string().nullable(),
  outcome: z.string(),
  holdReason: z.string().nullable(),
  tries: z.number().int(),
  nextRetryAt: time.nullable(),
  createdAt: time,
  decidedAt: time,
  /** Null if this release does not know the shape of the stored event. */
  event: decodedEvent.nullable(),
});

export const notificationView = z.object({
  id: z.string(),
  provider: z.string(),
  channel: z.string(),
  merchant: z.string(),
  /** The provider's ID. */
  notificationId: z.string(),
  digest: z.string(),
  /** Has the ID of an earlier notification, and other content. */
  conflicting: z.boolean(),
  authenticity: z.string(),
  status: z.string(),
  copies: z
    .number()
    .int()
    .describe('Copies received beyond the first, as gateways report them. At least so many.'),
  receivedAt: time,
  lastCopyAt: time.nullable(),
  purgedAt: time
    .nullable()
    .describe(
      'When its body and headers were deleted after the retention period; they are empty since then.',
    ),
  events: z.array(eventView),
});

export const notificationDetailView = notificationView.extend({
  headers: z.record(z.string(), z.string()),
  body: z.object({ bytes: z.number().int(), fields: z.record(z.string(), z.string()) }),
  /** The operators' actions on its events. */
  audit: z.array(auditView),
});

/** Nothing is masked. */
export const rawNotificationView = z.object({
  id: z.string(),
  /** The headers that verification needed. */
  headers: z.record(z.string(), z.unknown()),
  /** The exact bytes. */
  bodyBase64: z.string(),
  /** The same as text if they are UTF-8; null when they were erased. */
  text: z.string().nullable(),
  purgedAt: notificationView.shape.purgedAt,
});

export const heldEventView = eventView.extend({
  provider: z.string(),
  channel: z.string(),
  /** The provider's ID. */
  notificationId: z.string(),
});

type EventRow = Prisma.NotificationEventGetPayload<object>;
type ListRow = Prisma.NotificationGetPayload<{
  omit: { body: true; headers: true };
  include: { events: true };
}> & { readonly received: number; readonly lastReportedAt: Date | null };
/** Masked where it was read. */
type DetailRow = ListRow & {
  readonly headers: Record<string, string>;
  readonly body: MaskedBody;
};
type AuditRows = readonly Parameters<typeof viewOfAudit>[0][];

export function viewOfEvent(row: EventRow): z.infer<typeof eventView> {
  return {
    notification: row.notificationRowId.toString(),
    position: row.position,
    merchant: row.merchant,
    orderNumber: row.orderNumber,
    outcome: row.outcome,
    holdReason: row.holdReason,
    tries: row.tries,
    nextRetryAt: row.nextRetryAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    decidedAt: row.decidedAt.toISOString(),
    event: decodedEvent.safeParse(row.event).data ?? null,
  };
}

export function viewOfHeldEvent(
  row: EventRow & {
    readonly notification: {
      readonly provider: string;
      readonly channel: string;
      readonly notificationId: string;
    };
  },
): z.infer<typeof heldEventView> {
  const { provider, channel, notificationId } = row.notification;
  return { ...viewOfEvent(row), provider, channel, notificationId };
}

export function viewOfRaw(
  row: Prisma.NotificationGetPayload<{
    select: { id: true; headers: true; body: true; purgedAt: true };
  }>,
): z.infer<typeof rawNotificationView> {
  const body = Buffer.from(row.body);
  const headers = z.record(z.string(), z.unknown()).safeParse(row.headers).data ?? {};
  const text = row.purgedAt === null && isUtf8(body) ? body.toString('utf8') : null;
  const purgedAt = row.purgedAt?.toISOString() ?? null;
  return { id: row.id.toString(), headers, bodyBase64: body.toString('base64'), text, purgedAt };
}

export function viewOfNotification(row: ListRow): z.infer<typeof notificationView> {
  return {
    id: row.id.toString(),
    provider: row.provider,
    channel: row.channel,
    merchant: row.merchant,
    notificationId: row.notificationId,
    digest: row.digest,
    conflicting: row.variant !== '',
    authenticity: row.authenticity,
    status: row.status,
    copies: row.received - 1,
    receivedAt: row.receivedAt.toISOString(),
    lastCopyAt: lastCopyAt(row)?.toISOString() ?? null,
    purgedAt: row.purgedAt?.toISOString() ?? null,
    events: row.events.map(viewOfEvent),
  };
}

/** A report counts the first copy as well. */
function lastCopyAt({ received, lastCopyAt, lastReportedAt }: ListRow): Date | null {
  if (received === 1 || lastReportedAt === null) return lastCopyAt;
  return lastCopyAt !== null && lastCopyAt > lastReportedAt ? lastCopyAt : lastReportedAt;
}

export function viewOfNotificationDetail(
  row: DetailRow,
  audit: AuditRows,
): z.infer<typeof notificationDetailView> {
  return {
    ...viewOfNotification(row),
    headers: row.headers,
    body: row.body,
    audit: audit.map(viewOfAudit),
  };
}
