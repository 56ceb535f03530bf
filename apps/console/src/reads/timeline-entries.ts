/** The history entries of each row. Pure. */
import type { ReportedCopiesRow } from '@payonce/orders/reports/copy-rows';
import { providers } from '@payonce/providers/registry/providers';
import { maskText } from '../masking/text.js';
import { viewOfAudit } from '../schemas/audit.js';
import { viewOfFact } from '../schemas/fact.js';
import type { TimelineEntry } from '../schemas/timeline.js';
import type {
  AttemptRow,
  DeliveryRow,
  EventRow,
  NotificationRow,
  TimelineRows,
} from './history-rows.js';

export function entriesOf(rows: TimelineRows): TimelineEntry[] {
  return [
    ...rows.notifications.flatMap((row) => [
      ...copiesOf(
        row,
        rows.copies.filter((report) => report.notificationRowId === row.id),
      ),
      ...replyTo(row),
    ]),
    ...rows.audit.map(
      (row): TimelineEntry => ({
        kind: 'operator',
        at: iso(row.createdAt),
        audit: viewOfAudit(row),
      }),
    ),
    ...rows.events.flatMap((event) => decisionsOf(event, rows)),
    ...rows.facts.map(
      (row): TimelineEntry => ({ kind: 'fact', at: iso(row.createdAt), fact: viewOfFact(row) }),
    ),
    ...rows.orderEvents.map(
      (row): TimelineEntry => ({
        kind: 'order_event',
        at: iso(row.createdAt),
        id: row.id.toString(),
        type: row.type,
        milestone: row.milestone,
        version: row.version,
      }),
    ),
    ...rows.deliveries.flatMap((delivery) => deliveryEntries(delivery, rows)),
  ];
}

/** The reports count the first copy as well: it is subtracted from the report of its second. */
function copiesOf(row: NotificationRow, reports: readonly ReportedCopiesRow[]): TimelineEntry[] {
  const { id, receivedAt } = row;
  const about = { kind: 'copies', notification: id.toString() } as const;
  const withFirst = reports.find((one) => one.firstAt <= receivedAt && receivedAt <= one.lastAt);
  const first: TimelineEntry = {
    ...about,
    at: iso(receivedAt),
    source: 'first',
    count: 1,
    firstAt: iso(receivedAt),
    lastAt: iso(receivedAt),
    gateway: withFirst?.gateway ?? null,
    bestEffort: false,
  };
  const further = reports.map((one): TimelineEntry & { count: number } => ({
    ...about,
    at: iso(one.lastAt),
    source: 'gateway',
    count: one === withFirst ? one.count - 1 : one.count,
    firstAt: iso(one.firstAt),
    lastAt: iso(one.lastAt),
    gateway: one.gateway,
    bestEffort: true,
  }));
  const reported = further.filter(({ count }) => count > 0);
  return [
    first,
    ...reported,
    ...copiesAtWorker(row, 1 + reported.reduce((sum, one) => sum + one.count, 0)),
  ];
}

/** Copies that reached a worker and are in no gateway's report. */
function copiesAtWorker(row: NotificationRow, reported: number): TimelineEntry[] {
  const { id, copies, lastCopyAt } = row;
  if (lastCopyAt === null || copies + 1 <= reported) return [];
  return [
    {
      kind: 'copies',
      at: iso(lastCopyAt),
      notification: id.toString(),
      source: 'worker',
      count: copies + 1 - reported,
      firstAt: null,
      lastAt: iso(lastCopyAt),
      gateway: null,
      bestEffort: true,
    },
  ];
}

/**
 * Not stored, since it is always the same: a durable notification gets the provider's success
 * reply.
 */
function replyTo(row: NotificationRow): TimelineEntry[] {
  const reply = providers.find(({ id }) => id === row.provider)?.reply({ outcome: 'accepted' });
  if (reply === undefined) return [];
  const at = iso(row.receivedAt);
  const reported = row.acknowledged > 0 || row.lastReportedAt !== null;
  return [{ kind: 'reply', at, notification: row.id.toString(), ...reply, reported }];
}

/** Only the last decision is stored; but an event that was decided again was held before. */
function decisionsOf(event: EventRow, rows: TimelineRows): TimelineEntry[] {
  const { position, outcome, holdReason, tries } = event;
  const about = {
    kind: 'decision',
    notification: event.notificationRowId.toString(),
    position,
  } as const;
  const last = { ...about, at: iso(event.decidedAt), outcome, holdReason, tries };
  if (event.decidedAt <= event.createdAt) return [last];
  const reason = firstHoldReason(event, rows);
  const held = {
    ...about,
    at: iso(event.createdAt),
    outcome: 'held',
    holdReason: reason,
    tries: 0,
  };
  return [held, last];
}

/** From the order event, or from the audit row of an operator's action. */
function firstHoldReason({ id }: EventRow, { orderEvents, audit }: TimelineRows): string | null {
  const notified = orderEvents.find((row) => row.notificationEventId === id);
  if (notified !== undefined) return notified.milestone;
  const seen = audit.find((row) => row.notificationEventId === id);
  return seen ? viewOfAudit(seen).holdReason : null;
}

function deliveryEntries(delivery: DeliveryRow, rows: TimelineRows): TimelineEntry[] {
  const about = {
    kind: 'delivery',
    id: delivery.id.toString(),
    orderEvent: delivery.orderEventId.toString(),
    type: rows.orderEvents.find((row) => row.id === delivery.orderEventId)?.type ?? '',
    endpoint: rows.endpoints.get(delivery.endpointId) ?? '',
  } as const;
  const now = {
    state: deliveryState(delivery),
    parkedReason: delivery.parkedReason,
    nextAttemptAt: delivery.state === 'pending' ? iso(delivery.nextAttemptAt) : null,
  };
  const attempts = rows.attempts.filter((row) => row.deliveryId === delivery.id);
  if (attempts.length === 0) {
    return [{ ...about, at: iso(delivery.createdAt), attempt: null, ...now }];
  }
  return attempts.map((attempt, index): TimelineEntry => {
    const { durationMs, status } = attempt;
    // The text of another system, or of a handler.
    const error = attempt.error === null ? null : maskText(attempt.error);
    const after = { state: afterAttempt(attempt), parkedReason: null, nextAttemptAt: null };
    const isLast = index === attempts.length - 1;
    return {
      ...about,
      at: iso(attempt.at),
      attempt: { durationMs, status, error },
      ...(isLast ? now : after),
    };
  });
}

function afterAttempt({ status, error }: AttemptRow): 'delivered' | 'pending' {
  return status !== null && status >= 200 && status < 300 && error === null
    ? 'delivered'
    : 'pending';
}

/** The database has no other state. */
function deliveryState({ state }: DeliveryRow): 'pending' | 'delivered' | 'parked' {
  return state === 'delivered' || state === 'parked' ? state : 'pending';
}

function iso(date: Date): string {
  return date.toISOString();
}
