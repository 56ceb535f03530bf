/** Decodes and decides held events of another release again, from their bytes. */

import { messageOf } from '@payonce/core/runtime/errors';
import { type Operator, writeAudit } from '../database/audit.js';
import { bisect } from '../database/bisect.js';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction, isUnavailable, type Tx } from '../database/transaction.js';
import { contentsKey, findStored, type StoredContent } from './content-rows.js';
import { type Content, standingsOf } from './contents.js';
import {
  eventsToInsert,
  isHeld,
  rewriteEvents,
  sameOutcome,
  tellNewlyHeld,
  updateEvents,
} from './event-rows.js';
import type { EventOutcome } from './notification.js';
import { updateNotifications } from './notification-rows.js';
import { type AskedAgain, type FreshEvent, toPending, toWrite } from './pending.js';
import {
  type Candidate,
  type DecodedMessage,
  firstsOf,
  heldMessages,
  lockUndecided,
  type MessageRow,
  storeTextDigests,
} from './redecode-rows.js';
import { lockFreeOrdersOf, settleEvents } from './settle.js';
import { storePlans } from './store-plans.js';

/**
 * Decodes a stored message by the present release; null when its bytes no longer prove their
 * origin.
 */
export type DecodeStored = (message: MessageRow) => DecodedMessage | null;

/**
 * The result of one held notification.
 * - `decoded`: its held events are those of the present release, and were decided again
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
  /** Null for an event that the former release did not find in the message. */
  readonly from: EventOutcome | null;
  readonly to: EventOutcome;
}

/** A worker's schedule does it, without a request. */
export const UPGRADE: Operator = {
  actor: 'system',
  reason: 'decoded again after an update',
};

export interface RedecodeStep {
  /** The last notification of this step. */
  readonly last: bigint;
  readonly results: readonly Redecoded[];
}

/**
 * One bounded step of the upgrade: held notifications of the previous release, in the order of
 * their rows. Each is decoded once; several workers at once are fine.
 * @param after the last row of the step before; 0 at first
 * @throws AppError `database_unavailable`
 */
export async function redecodeStep(
  deps: DatabaseDeps,
  limit: number,
  after: bigint,
  decode: DecodeStored,
): Promise<RedecodeStep> {
  const rows = await heldMessages(deps.prisma, { after, limit, onlyFormer: true });
  const candidates = await candidatesOf(deps, rows, decode);
  return { last: rows.at(-1)?.id ?? after, results: await redecode(deps, candidates) };
}

/** Reads and decodes, without a lock. */
export async function candidatesOf(
  deps: DatabaseDeps,
  rows: readonly MessageRow[],
  decode: DecodeStored,
): Promise<Candidate[]> {
  const firsts = await firstsOf(
    deps.prisma,
    rows.filter(({ variant }) => variant !== ''),
  );
  const decodedFirsts = new Map(
    [...firsts].map(([key, row]) => [key, { row, decoded: decode(row) }]),
  );
  return rows.map((row) => ({
    row,
    decoded: decode(row),
    first: row.variant === '' ? null : (decodedFirsts.get(contentsKey(row)) ?? null),
  }));
}

/** Uses one transaction. Halving singles out a notification that fails, and leaves it as it is. */
async function redecode(
  deps: DatabaseDeps,
  candidates: readonly Candidate[],
): Promise<readonly Redecoded[]> {
  if (candidates.length === 0) return [];
  return bisect(
    candidates,
    (some) => inTransaction(deps, (tx) => redecodeInOne(tx, deps.clock(), some, UPGRADE)),
    async ({ row }, error): Promise<Redecoded> => {
      deps.log.error(
        { err: messageOf(error), notification: row.id },
        'a held notification cannot be decoded again',
      );
      return { row, result: 'failed', events: [] };
    },
    isUnavailable,
  );
}

/** One message on its way through the transaction. */
interface Step {
  readonly candidate: Candidate;
  /** Stored events, as they are decoded now. */
  readonly held: readonly AskedAgain[];
  /** Events that are not stored yet. */
  readonly added: readonly FreshEvent[];
}

/**
 * Locks the notifications and then, as on all paths, their orders. A lock of another transaction
 * counts as `busy`.
 * @returns one result per candidate, in their order
 */
export async function redecodeInOne(
  tx: Tx,
  now: Date,
  candidates: readonly Candidate[],
  operator: Operator,
): Promise<Redecoded[]> {
  const locked = await lockUndecided(tx, candidates);
  const ready = candidates.filter(({ row, decoded }) => decoded !== null && locked.has(row.id));
  const contents = await currentContents(tx, ready);
  const steps = new Map(
    ready.map((candidate) => [candidate.row.id, stepOf(candidate, contents)] as const),
  );
  const events = [...steps.values()].flatMap((step) => (step ? [...step.added, ...step.held] : []));
  const { orders, busy } = await lockFreeOrdersOf(tx, events);
  for (const id of busy) steps.delete(id);
  await storeTextDigests(
    tx,
    ready.filter(({ row }) => steps.has(row.id)),
  );
  const all = [...steps.values()].flatMap((step) => step ?? []);
  const pending = [...all.flatMap((step) => step.added), ...all.flatMap((step) => step.held)];
  await rewriteEvents(
    tx,
    all.flatMap((step) => step.held.map(({ stored }) => stored)),
  );
  const { settled, plans } = await settleEvents(tx, now, pending, orders);
  const { added, redecided } = toWrite(settled);
  await storePlans(tx, now, plans, eventsToInsert(now, added));
  await tellNewlyHeld(tx, now, added);
  await updateEvents(tx, now, redecided);
  await updateNotifications(tx, now, new Map(all.map(({ candidate }) => [candidate.row.id, 0])));
  for (const { stored, outcome } of redecided) {
    if (sameOutcome({ stored, outcome })) continue;
    const detail = { holdReason: stored.outcome.reason, outcome, decodedAgain: true };
    await writeAudit(tx, now, operator, {
      action: 'event.retry',
      notificationEventId: stored.id,
      detail,
    });
  }
  return candidates.map(({ row, decoded }): Redecoded => {
    if (decoded === null) return { row, result: 'unverifiable', events: [] };
    if (!steps.has(row.id)) return { row, result: 'busy', events: [] };
    if (!steps.get(row.id)) return { row, result: 'other_shape', events: [] };
    const events = [
      ...redecided.map(({ stored, outcome }) => ({
        ...stored,
        from: stored.outcome,
        to: outcome,
      })),
      ...added.map((one) => ({ ...one, from: null, to: one.outcome })),
    ]
      .filter(({ notificationRowId }) => notificationRowId === row.id)
      .map(({ position, event, from, to }) => {
        return { position, orderNumber: event.orderNumber, from, to };
      });
    return { row, result: 'decoded', events };
  });
}

/** The stored contents under the candidates' IDs, with their events as now decoded. */
async function currentContents(
  tx: Tx,
  candidates: readonly Candidate[],
): Promise<ReadonlyMap<string, readonly StoredContent[]>> {
  const stored = await findStored(
    tx,
    candidates.map(({ row, decoded }) => ({
      channel: row.channel,
      notificationId: row.notificationId,
      digest: decoded?.digest ?? '',
      formerDigest: row.digest,
    })),
  );
  const now = new Map(
    candidates
      .flatMap(({ row, decoded, first }) => [{ row, decoded }, ...(first ? [first] : [])])
      .flatMap(({ row, decoded }) => (decoded ? [[row.id, decoded] as const] : [])),
  );
  return new Map(
    [...stored].map(([key, contents]) => [
      key,
      contents.map((one) => {
        const decoded = now.get(one.row.id);
        return decoded ? { ...one, ...asDecoded(one, decoded) } : one;
      }),
    ]),
  );
}

/** A held event has no outcome here: it is about to be decided again. */
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

/** Null when the message has fewer events than are stored. */
function stepOf(
  candidate: Candidate,
  contents: ReadonlyMap<string, readonly StoredContent[]>,
): Step | null {
  const { row } = candidate;
  const all = contents.get(contentsKey(row)) ?? [];
  const own = all.find((one) => one.row.id === row.id);
  if (own === undefined || own.events.length < own.stored.length) return null;
  const standings = standingsOf(
    own,
    all.filter((other) => other !== own),
  );
  const known = new Map(own.stored.map((stored) => [stored.position, stored]));
  const held: AskedAgain[] = [];
  const added: FreshEvent[] = [];
  for (const [position, { event }] of own.events.entries()) {
    const standing = standings[position] ?? 'judged';
    const stored = known.get(position);
    if (stored === undefined) {
      const { id: notificationRowId, merchant } = row;
      const forced = standing === 'id_conflict' ? standing : null;
      added.push({ notificationRowId, merchant, position, event, standing, forced, stored: null });
    } else if (isHeld(stored)) {
      held.push(toPending({ ...stored, event }, null, standing));
    }
  }
  return { candidate, held, added };
}
