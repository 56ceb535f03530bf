/** The transaction that resolves held notifications as the present release decodes them. */
import { type Operator, writeAudit } from '../../database/audit.js';
import type { Tx } from '../../database/transaction.js';
import { tryLockOrdersOf } from '../apply/lock-event-orders.js';
import { fixedOutcome, toPending } from '../apply/pending-event.js';
import { resolveEvents } from '../apply/resolve-events.js';
import { writeResolved } from '../apply/write-resolved.js';
import { type Content, contentEffects } from '../contents/compare-contents.js';
import {
  othersThan,
  readStoredContents,
  type StoredContent,
  type StoredContents,
} from '../contents/stored-contents.js';
import { rewriteEvents } from '../records/event-rows.js';
import type { EventOutcome } from '../records/notification.js';
import { sharedIdKey } from '../records/notification-identity.js';
import { tryLockContents } from '../records/notification-locks.js';
import { storeTextDigests } from '../records/notification-rows.js';
import {
  isChanged,
  isStored,
  type PendingEvent,
  type ResolvedEvent,
} from '../records/resolved-event.js';
import { isHeld } from '../records/stored-event.js';
import type { MessageRow } from './held-messages.js';
import { type Candidate, type DecodedMessage, decodedContents } from './held-messages.js';

/**
 * The result of one held notification.
 * - `decoded`: its held events are those of the present release, and were resolved again
 * - `unverifiable`: its channel or its key is gone, or its signature is invalid by the present
 *   rules
 * - `other_shape`: it now has fewer events than are stored
 * - `busy`: another transaction has it locked, or decided it meanwhile
 * - `failed`: its transaction fails
 */
export type RedecodeResult = 'decoded' | 'unverifiable' | 'other_shape' | 'busy' | 'failed';

export interface Redecoded {
  readonly row: MessageRow;
  readonly result: RedecodeResult;
  readonly events: readonly RedecodedEvent[];
}

export interface RedecodedEvent {
  readonly position: number;
  readonly orderNumber: string | null;
  /** Null for an event that the previous release did not find in the message. */
  readonly from: EventOutcome | null;
  readonly to: EventOutcome;
}

/** Pending events by notification row; null: the message has fewer events than are stored. */
type PendingByRow = Map<bigint, readonly PendingEvent[] | null>;

/**
 * Locks the notifications and then, as on all paths, their orders. A lock of another transaction
 * counts as `busy`.
 * @returns one result per candidate, in their order
 */
export async function redecodeTogether(
  tx: Tx,
  now: Date,
  candidates: readonly Candidate[],
  operator: Operator,
): Promise<Redecoded[]> {
  const locked = await tryLockHeld(tx, candidates);
  const ready = candidates.filter(({ row, decoded }) => decoded !== null && locked.has(row.id));
  const contents = await presentContents(tx, ready);
  const byRow: PendingByRow = new Map(ready.map(({ row }) => [row.id, pendingOf(row, contents)]));
  const { orders, lockedElsewhere } = await tryLockOrdersOf(tx, allPending(byRow));
  for (const id of lockedElsewhere) byRow.delete(id);
  const stays = ready.filter(({ row }) => byRow.has(row.id));
  const digests = [...decodedContents(stays)].map(([id, { digest }]) => [id, digest] as const);
  await storeTextDigests(tx, new Map(digests));
  const pending = allPending(byRow);
  await rewriteEvents(
    tx,
    pending.filter(isStored).map(({ stored }) => stored),
  );
  const resolved = await resolveEvents(tx, now, pending, orders);
  const rows = stays.filter(({ row }) => byRow.get(row.id)).map(({ row }) => row.id);
  const copies = new Map(rows.map((id) => [id, 0]));
  await writeResolved(tx, now, resolved, { copies, scheduled: false });
  await auditChanges(tx, now, resolved.events, operator);
  return candidates.map((candidate) => resultOf(candidate, byRow, resolved.events));
}

/** New events first. */
function allPending(byRow: PendingByRow): PendingEvent[] {
  const all = [...byRow.values()].flatMap((events) => events ?? []);
  return [...all.filter(({ stored }) => stored === null), ...all.filter(isStored)];
}

/**
 * Locks held messages with the first contents under their IDs; waits for no lock.
 * @returns the rows that are locked together with their first contents, and unchanged since they
 * were read
 */
async function tryLockHeld(tx: Tx, candidates: readonly Candidate[]): Promise<ReadonlySet<bigint>> {
  const ids = new Set(
    candidates.flatMap(({ row, first }) => [row.id, ...(first ? [first.row.id] : [])]),
  );
  const locked = new Map((await tryLockContents(tx, [...ids])).map((row) => [row.id, row]));
  return new Set(
    candidates.flatMap(({ row, first }) => {
      const now = locked.get(row.id);
      const isSame = now?.status === 'held' && now.textDigest === row.textDigest;
      return isSame && (first === null || locked.has(first.row.id)) ? [row.id] : [];
    }),
  );
}

/** The stored contents under the candidates' IDs, with their events as now decoded. */
async function presentContents(tx: Tx, candidates: readonly Candidate[]): Promise<StoredContents> {
  const stored = await readStoredContents(
    tx,
    candidates.map(({ row, decoded }) => ({
      channel: row.channel,
      notificationId: row.notificationId,
      digest: decoded?.digest ?? '',
      formerDigest: row.digest,
    })),
  );
  const present = decodedContents(candidates);
  return new Map(
    [...stored].map(([key, contents]) => [
      key,
      contents.map((one) => {
        const decoded = present.get(one.row.id);
        return decoded ? { ...one, ...asDecoded(one, decoded) } : one;
      }),
    ]),
  );
}

/** A held event has no outcome here: it is about to be resolved again. */
function asDecoded(
  one: StoredContent,
  { digest, events }: DecodedMessage,
): Pick<Content, 'digest' | 'events'> {
  const outcomes = new Map(one.stored.map(({ position, outcome }) => [position, outcome.outcome]));
  return {
    digest,
    events: events.map((event, position) => {
      const outcome = outcomes.get(position) ?? null;
      return { event, outcome: outcome === 'held' ? null : outcome };
    }),
  };
}

/** Held events as they are decoded now, and events that are not stored yet. */
function pendingOf(row: MessageRow, contents: StoredContents): PendingEvent[] | null {
  const all = contents.get(sharedIdKey(row)) ?? [];
  const own = all.find((one) => one.row.id === row.id);
  if (own === undefined || own.events.length < own.stored.length) return null;
  const effects = contentEffects(own, othersThan(own, all));
  const known = new Map(own.stored.map((stored) => [stored.position, stored]));
  return own.events.flatMap(({ event }, position): PendingEvent | readonly PendingEvent[] => {
    const effect = effects[position] ?? 'none';
    const stored = known.get(position);
    if (stored === undefined) {
      const { id: notificationRowId, merchant, receivedAt } = row;
      const fixed = fixedOutcome(effect, null);
      const content = { notificationRowId, receivedAt, merchant };
      return { ...content, position, event, fixed, stored: null };
    }
    return isHeld(stored) ? toPending({ ...stored, event }, effect, null) : [];
  });
}

async function auditChanges(
  tx: Tx,
  now: Date,
  events: readonly ResolvedEvent[],
  operator: Operator,
): Promise<void> {
  for (const event of events.filter(isStored)) {
    if (!isChanged(event)) continue;
    const { stored, outcome } = event;
    const detail = { holdReason: stored.outcome.reason, outcome, decodedAgain: true };
    await writeAudit(tx, now, operator, {
      action: 'event.retry',
      notificationEventId: stored.id,
      detail,
    });
  }
}

function resultOf(
  { row, decoded }: Candidate,
  byRow: PendingByRow,
  resolved: readonly ResolvedEvent[],
): Redecoded {
  if (decoded === null) return { row, result: 'unverifiable', events: [] };
  if (!byRow.has(row.id)) return { row, result: 'busy', events: [] };
  if (!byRow.get(row.id)) return { row, result: 'other_shape', events: [] };
  const own = resolved.filter(({ notificationRowId }) => notificationRowId === row.id);
  const events = [...own.filter(isStored), ...own.filter(({ stored }) => stored === null)].map(
    ({ position, event, stored, outcome }) => {
      const from = stored === null ? null : stored.outcome;
      return { position, orderNumber: event.orderNumber, from, to: outcome };
    },
  );
  return { row, result: 'decoded', events };
}
