/** SQL of the events of notifications, each with its outcome. */
import { Prisma } from '@payonce/prisma/client';
import type { PaymentEvent } from '@payonce/providers/event';
import type { HoldReason } from '../../database/hold-reason.js';
import { recordset } from '../../database/recordset.js';
import type { Tx } from '../../database/transaction.js';
import { eventFromJson, eventToJson } from './event-json.js';
import type { PendingHeldEvent, ResolvedEvent } from './resolved-event.js';
import { nextRetryAt } from './retry-schedule.js';
import { holdReasonOf, type StoredEvent, storable } from './stored-event.js';

interface EventRow {
  readonly id: bigint;
  readonly notificationRowId: bigint;
  readonly receivedAt: Date;
  readonly merchant: string;
  readonly position: number;
  readonly outcome: 'applied' | 'duplicate' | 'ignored' | 'held';
  readonly holdReason: HoldReason | null;
  readonly tries: number;
  readonly event: unknown;
}

const RECEIVED_AT = Prisma.sql`(SELECT received_at FROM notifications
  WHERE notifications.id = notification_row_id) AS "receivedAt"`;

/** All events of these notifications, which the caller has locked. */
export async function readEvents(tx: Tx, rowIds: readonly bigint[]): Promise<StoredEvent[]> {
  if (rowIds.length === 0) return [];
  const rows = await tx.$queryRaw<EventRow[]>`
    SELECT id, notification_row_id AS "notificationRowId", ${RECEIVED_AT}, merchant, position, outcome,
      hold_reason AS "holdReason", tries, CASE WHEN outcome = 'held' THEN event END AS event
    FROM notification_events WHERE notification_row_id = ANY(${[...rowIds]}::bigint[])
    ORDER BY notification_row_id, position`;
  return rows.map(toStored);
}

/**
 * The same, with the decoded event of decided ones too: it serves to compare contents of one ID.
 */
export async function readAllEvents(
  tx: Tx,
  rowIds: readonly bigint[],
): Promise<(StoredEvent & { readonly event: PaymentEvent })[]> {
  if (rowIds.length === 0) return [];
  const rows = await tx.$queryRaw<EventRow[]>`
    SELECT id, notification_row_id AS "notificationRowId", ${RECEIVED_AT}, merchant, position, outcome,
      hold_reason AS "holdReason", tries, event
    FROM notification_events WHERE notification_row_id = ANY(${[...rowIds]}::bigint[])
    ORDER BY notification_row_id, position`;
  return rows.map((row) => ({ ...toStored(row), event: eventFromJson(row.event) }));
}

function toStored({ outcome, holdReason, event, ...row }: EventRow): StoredEvent {
  return {
    ...row,
    outcome: outcome === 'held' ? { outcome, reason: holdReason ?? 'internal_error' } : { outcome },
    event: event === null ? null : eventFromJson(event),
  };
}

/** Part of a statement: stores events of new notifications; null when there are none. */
export function insertEvents(now: Date, events: readonly ResolvedEvent[]): Prisma.Sql | null {
  if (events.length === 0) return null;
  const rows = events.map(({ notificationRowId, position, merchant, event, outcome }) => {
    const reason = holdReasonOf(outcome);
    return {
      notification_row_id: String(notificationRowId),
      position,
      merchant,
      order_number: storable(event.orderNumber),
      event: eventToJson(event),
      outcome: outcome.outcome,
      hold_reason: reason,
      next_retry_at: reason && nextRetryAt(reason, 0, now),
    };
  });
  const added = recordset(rows, {
    notification_row_id: 'bigint',
    position: 'int',
    merchant: 'text',
    order_number: 'text',
    event: 'text',
    outcome: 'text',
    hold_reason: 'text',
    next_retry_at: 'timestamptz',
  });
  return Prisma.sql`
    INSERT INTO notification_events (notification_row_id, position, merchant, order_number, event,
      outcome, hold_reason, next_retry_at, created_at, decided_at)
    SELECT e.notification_row_id, e.position, e.merchant, e.order_number, e.event::json, e.outcome,
      e.hold_reason, e.next_retry_at, ${now}, ${now}
    FROM ${added} AS e`;
}

/**
 * Writes outcomes of held events.
 * @param scheduled the schedule resolved them, so the schedule of each advances one step
 */
export async function updateEvents(
  tx: Tx,
  now: Date,
  events: readonly Pick<ResolvedEvent<PendingHeldEvent>, 'stored' | 'outcome'>[],
  scheduled: boolean,
): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map(({ stored, outcome }) => {
    const reason = holdReasonOf(outcome);
    const tries = scheduled ? stored.tries + 1 : 0;
    return {
      id: String(stored.id),
      outcome: outcome.outcome,
      hold_reason: reason,
      tries,
      next_retry_at: reason && nextRetryAt(reason, tries, now),
    };
  });
  const resolved = recordset(rows, {
    id: 'bigint',
    outcome: 'text',
    hold_reason: 'text',
    tries: 'int',
    next_retry_at: 'timestamptz',
  });
  await tx.$executeRaw`
    UPDATE notification_events e SET outcome = r.outcome, hold_reason = r.hold_reason,
      tries = r.tries, next_retry_at = r.next_retry_at, decided_at = ${now}
    FROM ${resolved} AS r WHERE e.id = r.id`;
}

/** Writes the events as the present release decodes them. */
export async function rewriteEvents(
  tx: Tx,
  events: readonly { readonly id: bigint; readonly event: PaymentEvent }[],
): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map(({ id, event }) => ({
    id: String(id),
    order_number: storable(event.orderNumber),
    event: eventToJson(event),
  }));
  await tx.$executeRaw`
    UPDATE notification_events e SET event = r.event::json, order_number = r.order_number
    FROM ${recordset(rows, { id: 'bigint', order_number: 'text', event: 'text' })} AS r
    WHERE e.id = r.id`;
}
