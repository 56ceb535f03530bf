import type { OrderKey } from '../database/order-lock.js';
import type { Tx } from '../database/transaction.js';
import { claimKey, type TradeClaim } from '../orders/claim.js';
import type { Fact } from '../orders/fact.js';
import { lockFreeOrders } from '../orders/lock-free.js';
import { isKnown, type KnownOrder, type OrderPlan, planOrder } from '../orders/plan.js';
import { releaseOf } from '../orders/released.js';
import { claimTrades, lockOrders, orderKey } from '../orders/store.js';
import type { PaymentEvent } from '../providers/event.js';
import { type Decision, decideEvent, needsOrder } from './decide.js';
import type { EventOutcome, HoldReason } from './notification.js';

/** An event without an outcome yet; this transaction has locked its notification. */
export interface PendingEvent {
  readonly merchant: string;
  readonly notificationRowId: bigint;
  readonly event: PaymentEvent;
  /**
   * The reason to hold it, whatever it states (`id_conflict`, `internal_error`); no order is
   * locked.
   */
  readonly forced: HoldReason | null;
}

/** An event with its decision and the order concerned. */
interface Decided {
  readonly pending: PendingEvent;
  readonly order: KnownOrder | null;
  readonly decision: Decision;
}

export interface Settled {
  /** In the order of the events; the caller writes them. */
  readonly outcomes: readonly EventOutcome[];
  /** The changes of orders, for `storePlans`: facts, states, order events. */
  readonly plans: readonly OrderPlan[];
}

/** Waits for the orders of these events, and locks them. By `orderKey`. */
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
 * Decides events: their orders are locked, then trades claimed and facts read. This is the common
 * order of locks (notifications, orders, trades, facts). One statement joins only what needs no
 * newer snapshot.
 * @param orders locked by this transaction; an order that is missing here does not exist
 */
export async function settleEvents(
  tx: Tx,
  now: Date,
  events: readonly PendingEvent[],
  orders: ReadonlyMap<string, KnownOrder>,
): Promise<Settled> {
  const decided = events.map((pending) => decide(pending, orders));
  const concerned = decided.flatMap(({ order, decision }) =>
    order && (decision.decision === 'apply' || decision.decision === 'confirm') ? [order.id] : [],
  );
  // Only now, with the orders locked.
  const { owners, facts, contested } = await claimTrades(tx, now, decidedClaims(decided), [
    ...new Set(concerned),
  ]);
  const settled = decided.map((one) => holdForeignTrade(one, owners, facts));
  const plans = planOrders(settled, facts, contested);
  return {
    outcomes: settled.map((one) => outcomeOf(one, plans, facts)),
    plans: [...plans.values()].map(({ plan }) => plan),
  };
}

function orderKeysOf(events: readonly PendingEvent[]): OrderKey[] {
  const keys = new Map<string, OrderKey>();
  for (const { merchant, event, forced } of events) {
    if (forced !== null || !needsOrder(event)) continue;
    const key = { merchant, number: event.orderNumber };
    keys.set(orderKey(key), key);
  }
  return [...keys.values()];
}

function decide(pending: PendingEvent, orders: ReadonlyMap<string, KnownOrder>): Decided {
  const { event, merchant, forced } = pending;
  if (forced !== null) {
    return { pending, order: null, decision: { decision: 'hold', reason: forced } };
  }
  const order = needsOrder(event)
    ? (orders.get(orderKey({ merchant, number: event.orderNumber })) ?? null)
    : null;
  return { pending, order, decision: decideEvent(event, order) };
}

function decidedClaims(decided: readonly Decided[]): TradeClaim[] {
  return decided.flatMap(({ order, decision }) =>
    order && decision.decision === 'apply' ? claimsOf(decision.facts, order) : [],
  );
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

function holdForeignTrade(
  one: Decided,
  owners: ReadonlyMap<string, bigint>,
  facts: ReadonlyMap<bigint, readonly Fact[]>,
): Decided {
  const { order, decision } = one;
  if (order === null || decision.decision !== 'apply') return one;
  if (ownsAll(claimsOf(decision.facts, order), owners, facts)) return one;
  return { ...one, decision: { decision: 'hold', reason: 'trade_on_other_order' } };
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

/** The facts for an order whose claims another merchant's order has, too. */
export function contestedFacts(
  claims: readonly TradeClaim[],
  contested: ReadonlySet<string>,
): Fact[] {
  if (contested.size === 0) return [];
  return claims
    .filter((claim) => contested.has(claimKey(claim)))
    .map(({ rail, trade }) => ({ kind: 'contested', rail, trade, at: null }));
}

interface PlanOfOrder {
  readonly plan: OrderPlan;
  readonly outcomes: ReadonlyMap<Decided, EventOutcome>;
}

function planOrders(
  settled: readonly Decided[],
  facts: ReadonlyMap<bigint, readonly Fact[]>,
  contested: ReadonlySet<string>,
): Map<bigint, PlanOfOrder> {
  const perOrder = new Map<bigint, { order: KnownOrder; told: Decided[] }>();
  for (const one of settled) {
    if (one.order === null || one.decision.decision !== 'apply') continue;
    const known = perOrder.get(one.order.id);
    if (known) known.told.push(one);
    else perOrder.set(one.order.id, { order: one.order, told: [one] });
  }
  const plans = new Map<bigint, PlanOfOrder>();
  for (const [id, { order, told }] of perOrder) {
    const statements = told.map(({ pending, decision }) => ({
      facts:
        decision.decision === 'apply'
          ? [...decision.facts, ...contestedFacts(claimsOf(decision.facts, order), contested)]
          : [],
      notificationRowId: pending.notificationRowId,
    }));
    const plan = planOrder(order, facts.get(id) ?? [], statements);
    const outcomes = new Map(
      told.map((one, index) => [one, { outcome: plan.outcomes[index] ?? 'duplicate' } as const]),
    );
    plans.set(id, { plan, outcomes });
  }
  return plans;
}

function outcomeOf(
  one: Decided,
  plans: ReadonlyMap<bigint, PlanOfOrder>,
  facts: ReadonlyMap<bigint, readonly Fact[]>,
): EventOutcome {
  const { order, decision } = one;
  switch (decision.decision) {
    case 'ignore':
      return { outcome: 'ignored' };
    case 'hold':
      return { outcome: 'held', reason: decision.reason };
    case 'confirm':
      return order && isKnown(facts.get(order.id) ?? [], decision.facts)
        ? { outcome: 'duplicate' }
        : { outcome: 'held', reason: 'unconfirmed' };
    case 'apply':
      return (order && plans.get(order.id)?.outcomes.get(one)) ?? { outcome: 'duplicate' };
  }
}
