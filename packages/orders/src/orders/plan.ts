import { type Fact, factKey } from '@payonce/providers/fact';
import { deriveOrder } from './derive.js';
import { amountOf, mergeFact } from './merge.js';
import { type Milestone, milestonesBetween } from './milestones.js';
import type { OrderState, OrderTerms } from './order.js';
import { roundOf } from './released.js';

/** A locked order as stored. */
export interface KnownOrder extends OrderTerms {
  readonly id: bigint;
  readonly version: number;
}

/** The facts of one event or one command. */
export interface Statement {
  readonly facts: readonly Fact[];
  /** The notification that states them; null for commands. */
  readonly notificationRowId: bigint | null;
}

/** A fact to write: new, or with a better time or amount. */
export interface FactChange {
  readonly fact: Fact;
  readonly notificationRowId: bigint | null;
}

/** A milestone and the order at the moment it was crossed. */
export interface Crossing extends Milestone {
  readonly version: number;
  readonly state: OrderState;
}

export interface OrderPlan {
  readonly order: KnownOrder;
  /** Per statement, whether it added a fact. */
  readonly outcomes: readonly ('applied' | 'duplicate')[];
  readonly changes: readonly FactChange[];
  readonly crossings: readonly Crossing[];
  readonly state: OrderState;
  /** Grows by one per statement that changed a fact; unchanged when none did. */
  readonly version: number;
}

/**
 * Plans the changes of an order by statements, one after the other. Pure. A batch of statements
 * gives the same rows as one transaction for each.
 */
export function planOrder(
  order: KnownOrder,
  known: readonly Fact[],
  statements: readonly Statement[],
): OrderPlan {
  const facts = new Map(known.map((fact): [string, Fact] => [factKey(fact), fact]));
  const changes = new Map<string, FactChange>();
  const outcomes: ('applied' | 'duplicate')[] = [];
  const crossings: Crossing[] = [];
  let state = deriveOrder([...facts.values()]);
  let version = order.version;
  for (const statement of statements) {
    outcomes.push(tellsNews(facts, statement.facts) ? 'applied' : 'duplicate');
    if (!tell(statement, facts, changes)) continue;
    version += 1;
    const after = deriveOrder([...facts.values()]);
    for (const milestone of milestonesBetween(state, after, roundOf(facts.values()))) {
      crossings.push({ ...milestone, version, state: after });
    }
    state = after;
  }
  return { order, outcomes, changes: [...changes.values()], crossings, state, version };
}

/** Whether all of them are already known with the same amounts. */
export function isKnown(known: readonly Fact[], told: readonly Fact[]): boolean {
  const amounts = new Map(known.map((fact) => [factKey(fact), amountOf(fact)]));
  return told.every((fact) => amounts.get(factKey(fact)) === amountOf(fact));
}

/**
 * TRADE_FINISHED repeats a payment and adds that it can no longer be refunded: for the order it is
 * a duplicate. A better time adds no fact either.
 */
function tellsNews(facts: ReadonlyMap<string, Fact>, told: readonly Fact[]): boolean {
  return told.some((fact) => fact.kind !== 'finished' && !facts.has(factKey(fact)));
}

/** Merges a statement into the facts. True when that changed any. */
function tell(
  { facts: told, notificationRowId }: Statement,
  facts: Map<string, Fact>,
  changes: Map<string, FactChange>,
): boolean {
  let changed = false;
  for (const fact of told) {
    const key = factKey(fact);
    const known = facts.get(key);
    const merged = known ? mergeFact(known, fact) : fact;
    if (merged === known) continue;
    facts.set(key, merged);
    // The first notification of this batch that states the fact is its source.
    const source = changes.get(key)?.notificationRowId ?? notificationRowId;
    changes.set(key, { fact: merged, notificationRowId: source });
    changed = true;
  }
  return changed;
}
