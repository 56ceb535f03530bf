/** Resolves events that are held already. This transaction has locked their notifications. */
import type { HoldReason } from '../../database/hold-reason.js';
import type { Tx } from '../../database/transaction.js';
import type { LockedOrders } from '../../orders/lock-orders.js';
import { lockOrdersOf, tryLockOrdersOf } from '../apply/lock-event-orders.js';
import { toPending } from '../apply/pending-event.js';
import { resolveEvents } from '../apply/resolve-events.js';
import { writeResolved } from '../apply/write-resolved.js';
import { effectsOnHeld } from '../contents/stored-contents.js';
import type { PendingHeldEvent, ResolvedEvent } from '../records/resolved-event.js';
import type { HeldEvent } from '../records/stored-event.js';

export interface ResolveHeldOptions {
  /** The schedule resolves them, so the schedule of each advances one step. */
  readonly scheduled: boolean;
  /** Holds all of them for this reason, whatever they say. */
  readonly holdAs: HoldReason | null;
}

export type ResolvedHeldEvent = ResolvedEvent<PendingHeldEvent>;

/**
 * Resolves held events once more and writes their outcomes. Waits for their orders.
 * @returns all of them with their outcomes, in their order
 */
export async function resolveHeldEvents(
  tx: Tx,
  now: Date,
  held: readonly HeldEvent[],
  options: ResolveHeldOptions,
): Promise<readonly ResolvedHeldEvent[]> {
  if (held.length === 0) return [];
  const pending = await pendingHeld(tx, held, options.holdAs);
  return resolveAndWrite(tx, now, pending, options, await lockOrdersOf(tx, pending));
}

export interface TriedHeldEvents {
  readonly resolved: readonly ResolvedHeldEvent[];
  /** Unchanged: another transaction has locked an order of their notification. */
  readonly lockedElsewhere: readonly HeldEvent[];
}

/** The same without waiting. */
export async function tryResolveHeldEvents(
  tx: Tx,
  now: Date,
  held: readonly HeldEvent[],
  options: ResolveHeldOptions,
): Promise<TriedHeldEvents> {
  if (held.length === 0) return { resolved: [], lockedElsewhere: [] };
  const pending = await pendingHeld(tx, held, options.holdAs);
  const { orders, lockedElsewhere } = await tryLockOrdersOf(tx, pending);
  const free = pending.filter((one) => !lockedElsewhere.has(one.notificationRowId));
  return {
    resolved: await resolveAndWrite(tx, now, free, options, orders),
    lockedElsewhere: held.filter((one) => lockedElsewhere.has(one.notificationRowId)),
  };
}

async function pendingHeld(
  tx: Tx,
  held: readonly HeldEvent[],
  holdAs: HoldReason | null,
): Promise<PendingHeldEvent[]> {
  const effects = await effectsOnHeld(tx, held);
  return held.map((stored) => toPending(stored, effects.get(stored.id) ?? 'none', holdAs));
}

async function resolveAndWrite(
  tx: Tx,
  now: Date,
  pending: readonly PendingHeldEvent[],
  { scheduled }: ResolveHeldOptions,
  orders: LockedOrders,
): Promise<readonly ResolvedHeldEvent[]> {
  const resolved = await resolveEvents(tx, now, pending, orders);
  const copies = new Map(pending.map((one) => [one.notificationRowId, 0]));
  await writeResolved(tx, now, resolved, { copies, scheduled });
  return resolved.events;
}

/** Whether it is no longer held. */
export function isReleased({ outcome }: ResolvedHeldEvent): boolean {
  return outcome.outcome !== 'held';
}
