import { type Fact, factKey } from '@payonce/providers/fact';
import { deriveOrder } from './derive.js';
import { amountOf, mergeFact } from './merge.js';
import { type Milestone, milestonesBetween } from './milestones.js';
import type { LockedOrder, OrderState } from './order.js';
import { roundOf } from './released.js';

/** The facts that one event or one command asserts. */
export interface EventFacts {
  readonly facts: readonly Fact[];
  /** The notification that asserts them, and its receipt; null for commands. */
  readonly notificationRowId: bigint | null;
  readonly receivedAt: Date | null;
}

/** A fact to write: new, or with a better time or amount. */
export interface FactChange {
  readonly fact: Fact;
  readonly notificationRowId: bigint | null;
}

/** A milestone and the order at the moment it was reached. */
export interface ReachedMilestone extends Milestone {
  readonly version: number;
  readonly state: OrderState;
  /** Merchants' systems may have received it before PostgreSQL went back in time. */
  readonly replayed: boolean;
}

export interface OrderPlan {
  readonly order: LockedOrder;
  /** Per event, whether it added a fact. */
  readonly outcomes: readonly ('applied' | 'duplicate')[];
  readonly changes: readonly FactChange[];
  readonly milestones: readonly ReachedMilestone[];
  readonly state: OrderState;
  /** Grows per event that changed a fact, by one but for a rewind; unchanged when none did. */
  readonly version: number;
}

/**
 * Plans the changes of an order by events, one after the other. Pure. A batch of events gives the
 * same rows as one transaction for each.
 */
export function planOrder(
  order: LockedOrder,
  known: readonly Fact[],
  events: readonly EventFacts[],
): OrderPlan {
  const facts = new Map(known.map((fact): [string, Fact] => [factKey(fact), fact]));
  const changes = new Map<string, FactChange>();
  const outcomes: ('applied' | 'duplicate')[] = [];
  const milestones: ReachedMilestone[] = [];
  let state = deriveOrder([...facts.values()]);
  let version = order.version;
  for (const event of events) {
    outcomes.push(hasNewFacts(facts, event.facts) ? 'applied' : 'duplicate');
    if (!mergeEvent(event, facts, changes)) continue;
    const replayed = isReplayed(event, { ...order, version });
    version = Math.max(version, order.rewind?.versionFloor ?? 0) + 1;
    const after = deriveOrder([...facts.values()]);
    for (const milestone of milestonesBetween(state, after, roundOf(facts.values()))) {
      milestones.push({ ...milestone, version, state: after, replayed });
    }
    state = after;
  }
  return { order, outcomes, changes: [...changes.values()], milestones, state, version };
}

/**
 * Of a notification from before the rewind, or the first change since then of an order from before:
 * a twin of a forgotten notification may bring it.
 */
function isReplayed(
  { receivedAt }: EventFacts,
  { rewind, version, createdAt }: LockedOrder,
): boolean {
  if (rewind === null) return false;
  const isOld = receivedAt !== null && receivedAt <= rewind.at;
  return isOld || (version < rewind.versionFloor && createdAt <= rewind.at);
}

/** Whether all of them are already known with the same amounts. */
export function areKnown(known: readonly Fact[], asserted: readonly Fact[]): boolean {
  const amounts = new Map(known.map((fact) => [factKey(fact), amountOf(fact)]));
  return asserted.every((fact) => amounts.get(factKey(fact)) === amountOf(fact));
}

/**
 * TRADE_FINISHED repeats a payment and adds that it can no longer be refunded: for the order it is
 * a duplicate. A better time adds no fact either.
 */
function hasNewFacts(known: ReadonlyMap<string, Fact>, asserted: readonly Fact[]): boolean {
  return asserted.some((fact) => fact.kind !== 'finished' && !known.has(factKey(fact)));
}

/** Merges an event's facts into the known ones. True when that changed any. */
function mergeEvent(
  { facts: asserted, notificationRowId }: EventFacts,
  facts: Map<string, Fact>,
  changes: Map<string, FactChange>,
): boolean {
  let changed = false;
  for (const fact of asserted) {
    const key = factKey(fact);
    const known = facts.get(key);
    const merged = known ? mergeFact(known, fact) : fact;
    if (merged === known) continue;
    facts.set(key, merged);
    // The first notification of this batch that asserts the fact is its source.
    const source = changes.get(key)?.notificationRowId ?? notificationRowId;
    changes.set(key, { fact: merged, notificationRowId: source });
    changed = true;
  }
  return changed;
}
