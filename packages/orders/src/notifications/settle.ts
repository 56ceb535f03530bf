import type { Fact } from '@payonce/providers/fact';
import type { HoldReason } from '../database/hold-reason.js';
import type { Tx } from '../database/transaction.js';
import { claimKey, type TradeClaim } from '../orders/claim.js';
import { lockFreeOrders } from '../orders/lock-free.js';
import type { OrderKey } from '../orders/order-lock.js';
import { isKnown, type KnownOrder, type OrderPlan, planOrder } from '../orders/plan.js';
import { releaseOf } from '../orders/released.js';
import { claimTrades, type Known, lockOrders, orderKey } from '../orders/store.js';
import { decideEvent, needsOrder } from './decide.js';
import type { EventOutcome } from './notification.js';
import type { PendingEvent, SettledEvent } from './pending.js';

/** An event's statements about a locked order. Trades and facts decide its outcome. */
interface Stated<Pending> {
  readonly pending: Pending;
  readonly outcome: null;
  /** An unsigned event can only repeat known facts. */
  readonly signed: boolean;
  readonly order: KnownOrder;
  readonly facts: readonly Fact[];
  /** The trades in the facts of a signed event; empty for an unsigned one. */
  readonly claims: readonly TradeClaim[];
}

type Decided<Pending extends PendingEvent> = SettledEvent<Pending> | Stated<Pending>;

export interface Settled<Pending extends PendingEvent> {
  /** All events, in their order. The caller writes their outcomes. */
  readonly settled: readonly SettledEvent<Pending>[];
  /** The changes of orders, for `storePlans`: facts, states, order events. */
  readonly plans: readonly OrderPlan[];
}

/**
 * Waits for the orders of these events, and locks them.
 * @returns the orders by `orderKey`
 */
export function lockOrdersOf(
  tx: Tx,
  events: readonly PendingEvent[],
): Promise<ReadonlyMap<string, KnownOrder>> {
  return lockOrders(tx, orderKeysOf(events));
}

/**
 * Waits for no lock. `busy`: the rows of notifications with an order that another transaction has
 * locked.
 */
export async function lockFreeOrdersOf(
  tx: Tx,
  events: readonly PendingEvent[],
): Promise<{
  readonly orders: ReadonlyMap<string, KnownOrder>;
  readonly busy: ReadonlySet<bigint>;
}> {
  const { orders, busy } = await lockFreeOrders(tx, orderKeysOf(events));
  if (busy.size === 0) return { orders, busy: new Set() };
  const isBusy = (one: PendingEvent) => orderKeysOf([one]).some((key) => busy.has(orderKey(key)));
  return { orders, busy: new Set(events.filter(isBusy).map((one) => one.notificationRowId)) };
}

/**
 * Decides events whose orders are locked: claims the trades and reads the facts. Locks are taken in
 * the one order: notifications, orders, trades, facts. One statement combines only steps that need
 * no newer snapshot.
 * @param orders locked by this transaction; an order not among them does not exist
 */
export async function settleEvents<Pending extends PendingEvent>(
  tx: Tx,
  now: Date,
  events: readonly Pending[],
  orders: ReadonlyMap<string, KnownOrder>,
): Promise<Settled<Pending>> {
  const decided = events.map((pending) => decide(pending, orders));
  const stated = decided.filter((one) => one.outcome === null);
  const claims = stated.flatMap((one) => one.claims);
  const orderIds = new Set(stated.map(({ order }) => order.id));
  // Not before the orders are locked.
  const known = await claimTrades(tx, now, claims, [...orderIds]);
  const { outcomes, plans } = judge(stated, known);
  return {
    settled: decided.map((one) => (one.outcome === null ? outcomeIn(outcomes, one) : one)),
    plans,
  };
}

function orderKeysOf(events: readonly PendingEvent[]): OrderKey[] {
  const keys = new Map<string, OrderKey>();
  for (const { merchant, event, standing, forced } of events) {
    if (standing === 'duplicate' || forced !== null || !needsOrder(event)) continue;
    const key = { merchant, number: event.orderNumber };
    keys.set(orderKey(key), key);
  }
  return [...keys.values()];
}

/**
 * Decides by the event and its order's terms, if they suffice. An event whose equal was applied is
 * a duplicate at once. Nothing that became true later (another owner of the trade, other terms)
 * holds it.
 */
function decide<Pending extends PendingEvent>(
  pending: Pending,
  orders: ReadonlyMap<string, KnownOrder>,
): Decided<Pending> {
  const { event, merchant, standing, forced } = pending;
  if (standing === 'duplicate') return { pending, outcome: { outcome: 'duplicate' } };
  if (forced !== null) return { pending, outcome: held(forced) };
  const order = needsOrder(event)
    ? (orders.get(orderKey({ merchant, number: event.orderNumber })) ?? null)
    : null;
  const decision = decideEvent(event, order);
  switch (decision.decision) {
    case 'ignore':
      return { pending, outcome: { outcome: 'ignored' } };
    case 'hold':
      return { pending, outcome: held(decision.reason) };
    case 'confirm':
    case 'apply': {
      if (order === null) throw new Error('facts of an order that does not exist');
      const { facts } = decision;
      const signed = decision.decision === 'apply';
      const claims = signed ? claimsOf(facts, order) : [];
      return { pending, outcome: null, signed, order, facts, claims };
    }
  }
}

function held(reason: HoldReason): EventOutcome {
  return { outcome: 'held', reason };
}

/** The trades in these facts, claimed for their order. */
export function claimsOf(
  facts: readonly Fact[],
  { id: orderId, merchant }: Pick<KnownOrder, 'id' | 'merchant'>,
): TradeClaim[] {
  return facts.flatMap((fact) => {
    const rail = fact.kind === 'closed' ? fact.by : fact.rail;
    if (rail === 'merchant' || fact.trade === null) return [];
    return [{ rail, trade: fact.trade, merchant, orderId }];
  });
}

/**
 * A trade pays the first order of its merchant that claimed it, and no other. An order that
 * released it still takes facts about it, without effect.
 */
export function ownsAll(
  claims: readonly TradeClaim[],
  owners: ReadonlyMap<string, bigint>,
  facts: ReadonlyMap<bigint, readonly Fact[]>,
): boolean {
  return claims.every(
    (claim) =>
      owners.get(claimKey(claim)) === claim.orderId ||
      releaseOf(facts.get(claim.orderId) ?? [], claim) !== null,
  );
}

/** The facts for an order that shares a claimed trade with another merchant's order. */
export function contestedFacts(
  claims: readonly TradeClaim[],
  contested: ReadonlySet<string>,
): Fact[] {
  if (contested.size === 0) return [];
  return claims
    .filter((claim) => contested.has(claimKey(claim)))
    .map(({ rail, trade }) => ({ kind: 'contested', rail, trade, at: null }));
}

interface Judged<Pending> {
  readonly outcomes: ReadonlyMap<Stated<Pending>, EventOutcome>;
  readonly plans: readonly OrderPlan[];
}

/**
 * Holds an event that claims a trade of another order. Plans the rest, all events of an order
 * together.
 */
function judge<Pending extends PendingEvent>(
  stated: readonly Stated<Pending>[],
  { owners, facts, contested }: Known,
): Judged<Pending> {
  const outcomes = new Map<Stated<Pending>, EventOutcome>();
  const perOrder = new Map<bigint, { order: KnownOrder; told: Stated<Pending>[] }>();
  for (const one of stated) {
    const { order } = one;
    if (!one.signed) {
      const repeats = isKnown(facts.get(order.id) ?? [], one.facts);
      outcomes.set(one, repeats ? { outcome: 'duplicate' } : held('unconfirmed'));
    } else if (!ownsAll(one.claims, owners, facts)) {
      outcomes.set(one, held('trade_on_other_order'));
    } else {
      const known = perOrder.get(order.id);
      if (known) known.told.push(one);
      else perOrder.set(order.id, { order, told: [one] });
    }
  }
  const plans: OrderPlan[] = [];
  for (const { order, told } of perOrder.values()) {
    const statements = told.map((one) => ({
      facts: [...one.facts, ...contestedFacts(one.claims, contested)],
      notificationRowId: one.pending.notificationRowId,
    }));
    const plan = planOrder(order, facts.get(order.id) ?? [], statements);
    plans.push(plan);
    for (const [index, outcome] of plan.outcomes.entries()) {
      const one = told[index];
      if (one !== undefined) outcomes.set(one, { outcome });
    }
  }
  return { outcomes, plans };
}

/** @throws Error when there is none: a default would silently ignore money */
function outcomeIn<Pending extends PendingEvent>(
  outcomes: ReadonlyMap<Stated<Pending>, EventOutcome>,
  one: Stated<Pending>,
): SettledEvent<Pending> {
  const outcome = outcomes.get(one);
  if (outcome === undefined) throw new Error('an event without an outcome');
  return { pending: one.pending, outcome };
}
