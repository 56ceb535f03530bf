/** What a batch has to resolve, and what its notifications report and count afterwards. Pure. */
import type { HoldReason } from '../../database/hold-reason.js';
import type { ApplyOutcome, EventOutcome, VerifiedNotification } from '../records/notification.js';
import { isChanged, type PendingEvent, type ResolvedEvent } from '../records/resolved-event.js';
import { isHeld, type StoredEvent } from '../records/stored-event.js';
import { contentKey, type NotificationEntry, type Upserted } from './notification-entry.js';
import { fixedOutcome, toPending } from './pending-event.js';

/**
 * The events of new notifications; the held events of stored ones, and those of contents that equal
 * one of the batch.
 * @param stored the events of the stored notifications
 * @param holdAs holds all of them for this reason, whatever they say
 */
export function pendingEvents(
  { entries, equalHeld }: Upserted,
  stored: readonly StoredEvent[],
  holdAs: HoldReason | null,
): PendingEvent[] {
  const all = [...entries.values()];
  const added = all.flatMap((entry) => (entry.isNew ? newEvents(entry, holdAs) : []));
  if (stored.length + equalHeld.length === 0) return added;
  const effects = new Map(all.map((entry) => [entry.row.id, entry.effects]));
  const held = stored.filter(isHeld).map((event) => {
    const effect = effects.get(event.notificationRowId)?.[event.position] ?? 'none';
    return toPending(event, effect, holdAs);
  });
  return [...added, ...held, ...equalHeld.map((one) => toPending(one.stored, one.effect, holdAs))];
}

function newEvents(
  { notification, row, effects }: NotificationEntry,
  holdAs: HoldReason | null,
): PendingEvent[] {
  const { merchant, events, receivedAt } = notification;
  return events.map((event, position) => ({
    notificationRowId: row.id,
    receivedAt,
    position,
    merchant,
    event,
    fixed: fixedOutcome(effects?.[position] ?? 'none', holdAs),
    stored: null,
  }));
}

/**
 * Copies by row. Leaves out rows that stay as `insertNotifications` wrote them: one copy,
 * `applied`.
 */
export function copiesToCount(
  { entries, overLimit }: Upserted,
  events: readonly ResolvedEvent[],
): Map<bigint, number> {
  const applied = new Set<bigint>();
  const held = new Set<bigint>();
  const copies = new Map<bigint, number>();
  const add = (rowId: bigint, count: number) => copies.set(rowId, (copies.get(rowId) ?? 0) + count);
  for (const { notificationRowId, outcome, stored } of events) {
    if (stored !== null) add(notificationRowId, 0);
    else if (outcome.outcome === 'applied') applied.add(notificationRowId);
    else if (outcome.outcome === 'held') held.add(notificationRowId);
  }
  for (const { row, isNew, count } of entries.values()) {
    const asInserted = isNew && count === 1 && applied.has(row.id) && !held.has(row.id);
    if (!asInserted) add(row.id, isNew ? count - 1 : count);
  }
  for (const { rowId, count } of overLimit.values()) add(rowId, count);
  return copies;
}

/**
 * One outcome per notification of the batch; null for one that left it. Of several copies of a new
 * notification only the first is no copy.
 * @param stored the events of notifications that were stored before
 */
export function batchOutcomes(
  batch: readonly VerifiedNotification[],
  { entries, overLimit }: Upserted,
  stored: readonly StoredEvent[],
  events: readonly ResolvedEvent[],
): (ApplyOutcome | null)[] {
  const again = new Map(
    events.flatMap((one) => (one.stored ? [[one.stored.id, one] as const] : [])),
  );
  const outcomes = new Map<bigint, EventOutcome[]>();
  const add = (rowId: bigint, outcome: EventOutcome) =>
    outcomes.set(rowId, [...(outcomes.get(rowId) ?? []), outcome]);
  for (const one of events) if (one.stored === null) add(one.notificationRowId, one.outcome);
  for (const one of stored) add(one.notificationRowId, again.get(one.id)?.outcome ?? one.outcome);
  const changed = new Set(
    [...again.values()].filter(isChanged).map((one) => one.notificationRowId),
  );
  const reported = new Set<bigint>();
  return batch.map((notification) => {
    const { notificationId } = notification;
    const key = contentKey(notification);
    if (overLimit.has(key)) return { notificationId, copy: true, events: [], overLimit: true };
    const entry = entries.get(key);
    if (entry === undefined) return null;
    const { id } = entry.row;
    const copy = reported.has(id) || !(entry.isNew || changed.has(id));
    reported.add(id);
    return { notificationId, copy, events: outcomes.get(id) ?? [] };
  });
}
