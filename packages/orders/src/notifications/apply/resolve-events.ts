import type { Fact } from '@payonce/providers/fact';
import type { HoldReason } from '../../database/hold-reason.js';
import type { Tx } from '../../database/transaction.js';
import { claimTrades, type OwnersAndFacts } from '../../orders/claim-trades.js';
import type { LockedOrders } from '../../orders/lock-orders.js';
import { type LockedOrder, orderKey } from '../../orders/order.js';
import { areKnown, type OrderPlan, planOrder } from '../../orders/plan.js';
import { claimsOf, contestedFacts, ownsAll, type TradeClaim } from '../../orders/trade-claim.js';
import type { EventOutcome } from '../records/notification.js';
import type { PendingEvent, ResolvedEvent } from '../records/resolved-event.js';
import { decideEvent, needsOrder } from './decide.js';

/** What an event asserts about a locked order. Trades and known facts decide its outcome. */
interface Assertion<Pending extends PendingEvent> {
  readonly pending: Pending;
  /** An unsigned event can only repeat known facts. */
  readonly signed: boolean;
  readonly order: LockedOrder;
  readonly facts: readonly Fact[];
  /** The trades in the facts of a signed event; empty for an unsigned one. */
  readonly claims: readonly TradeClaim[];
}

export interface Resolved<Pending extends PendingEvent = PendingEvent> {
  /** All events, in their order. The caller writes their outcomes. */
  readonly events: readonly ResolvedEvent<Pending>[];
  /** The changes of orders, for `writePlans`: facts, states, order events. */
  readonly plans: readonly OrderPlan[];
}

/**
 * Finds the outcome of each event, and the plan of each order. Claims the trades and reads the
 * facts in one statement; the rest is pure.
 * @param orders locked by this transaction
 */
export async function resolveEvents<Pending extends PendingEvent>(
  tx: Tx,
  now: Date,
  pending: readonly Pending[],
  orders: LockedOrders,
): Promise<Resolved<Pending>> {
  const judged = pending.map((event) => judge(event, orders));
  const assertions = judged.flatMap((one) => ('outcome' in one ? [] : one));
  const orderIds = new Set(assertions.map(({ order }) => order.id));
  const claims = assertions.flatMap((one) => one.claims);
  // Not before the orders are locked.
  const known = await claimTrades(tx, now, claims, [...orderIds]);
  const { outcomes, plans } = planAssertions(assertions, known);
  const events = judged.map((one) => ('outcome' in one ? one : withOutcome(one, outcomes)));
  return { events, plans };
}

/**
 * Decides by the event and its order's terms, if they suffice. Nothing that became true later
 * (another owner of the trade, other terms) holds an event whose outcome is fixed.
 */
function judge<Pending extends PendingEvent>(
  pending: Pending,
  orders: LockedOrders,
): ResolvedEvent<Pending> | Assertion<Pending> {
  const { event, merchant, fixed } = pending;
  if (fixed !== null) return { ...pending, outcome: fixed };
  const order = needsOrder(event)
    ? (orders.get(orderKey({ merchant, number: event.orderNumber })) ?? null)
    : null;
  const decision = decideEvent(event, order);
  switch (decision.decision) {
    case 'ignore':
      return { ...pending, outcome: { outcome: 'ignored' } };
    case 'hold':
      return { ...pending, outcome: held(decision.reason) };
    case 'confirm':
    case 'apply': {
      if (order === null) throw new Error('facts of an order that does not exist');
      const { facts } = decision;
      const signed = decision.decision === 'apply';
      return { pending, signed, order, facts, claims: signed ? claimsOf(facts, order) : [] };
    }
  }
}

function held(reason: HoldReason): EventOutcome {
  return { outcome: 'held', reason };
}

type Outcomes<Pending extends PendingEvent> = Map<Assertion<Pending>, EventOutcome>;

interface Planned<Pending extends PendingEvent> {
  readonly outcomes: Outcomes<Pending>;
  readonly plans: readonly OrderPlan[];
}

/**
 * Holds an event that claims a trade of another order. Plans the rest, all events of an order
 * together. Pure.
 */
function planAssertions<Pending extends PendingEvent>(
  assertions: readonly Assertion<Pending>[],
  known: OwnersAndFacts,
): Planned<Pending> {
  const outcomes: Outcomes<Pending> = new Map();
  const byOrder = new Map<bigint, Assertion<Pending>[]>();
  for (const one of assertions) {
    const outcome = outcomeBefore(one, known);
    if (outcome !== null) outcomes.set(one, outcome);
    else if (!byOrder.get(one.order.id)?.push(one)) byOrder.set(one.order.id, [one]);
  }
  const plans = [...byOrder.values()].flatMap((some) => {
    const [first] = some;
    if (first === undefined) return [];
    const events = some.map((one) => ({
      facts: [...one.facts, ...contestedFacts(one.claims, known.contested)],
      notificationRowId: one.pending.notificationRowId,
      receivedAt: one.pending.receivedAt,
    }));
    const plan = planOrder(first.order, known.facts.get(first.order.id) ?? [], events);
    for (const [index, outcome] of plan.outcomes.entries()) {
      const one = some[index];
      if (one !== undefined) outcomes.set(one, { outcome });
    }
    return [plan];
  });
  return { outcomes, plans };
}

/** The outcome of an event that changes no fact; null when the plan of its order decides. */
function outcomeBefore(
  { signed, order, facts: asserted, claims }: Assertion<PendingEvent>,
  { owners, facts }: OwnersAndFacts,
): EventOutcome | null {
  if (!signed) {
    const repeats = areKnown(facts.get(order.id) ?? [], asserted);
    return repeats ? { outcome: 'duplicate' } : held('unconfirmed');
  }
  return ownsAll(claims, owners, facts) ? null : held('trade_on_other_order');
}

/** @throws Error when there is no outcome: a default would silently ignore money */
function withOutcome<Pending extends PendingEvent>(
  assertion: Assertion<Pending>,
  outcomes: Outcomes<Pending>,
): ResolvedEvent<Pending> {
  const outcome = outcomes.get(assertion);
  if (outcome === undefined) throw new Error('an event without an outcome');
  return { ...assertion.pending, outcome };
}
