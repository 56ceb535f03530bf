/** An operator declares that a trade does not pay an order, or revokes that. Both are facts. */

import { messageOf } from '@payonce/core/runtime/errors';
import type { Fact } from '@payonce/providers/fact';
import { type Operator, writeAudit } from '../database/audit.js';
import type { DatabaseDeps } from '../database/deps.js';
import { rolledBack } from '../database/rolled-back.js';
import { inTransaction, isUnavailable, type Tx } from '../database/transaction.js';
import { deriveOrder } from '../orders/derive.js';
import type { OrderState } from '../orders/order.js';
import { type KnownOrder, type OrderPlan, planOrder } from '../orders/plan.js';
import { releaseOf, type TradeName } from '../orders/released.js';
import { lockOrders, orderKey, readFacts } from '../orders/store.js';
import { freeClaim, ownerOf, reclaim } from '../orders/trade-claims.js';
import { findContenders, lockContenders, retryContenders } from './contenders.js';
import type { HeldEvent } from './event-rows.js';
import type { EventOutcome } from './notification.js';
import { settleAgain } from './release.js';
import { storePlans } from './store-plans.js';

/** One trade of one order, and the operator who acts on it. */
export interface TradeCommand extends Operator, TradeName {
  readonly merchant: string;
  readonly number: string;
  /** The expected version, if given: an order that has changed since is left unchanged. */
  readonly version?: number | undefined;
}

/** An order before or after the action. */
export interface Standing
  extends Pick<OrderState, 'status' | 'paidAmount' | 'refundedAmount' | 'attention'> {
  readonly version: number;
}

/** All effects of the action. */
export interface TradeEffect {
  readonly before: Standing;
  readonly after: Standing;
  /** The number of the merchant's order that has the trade afterwards; null: it is free. */
  readonly owner: string | null;
  /** The order events, also of the order that gets the trade. */
  readonly orderEvents: readonly {
    readonly number: string;
    readonly type: string;
    readonly milestone: string;
  }[];
  /** Events that were held for the trade, with their new outcomes. */
  readonly heldEvents: readonly {
    readonly notification: bigint;
    readonly position: number;
    readonly number: string | null;
    readonly outcome: EventOutcome;
  }[];
}

export type TradeOutcome =
  /** `again`: it was so already; nothing was changed now. */
  | { readonly result: 'done'; readonly effect: TradeEffect; readonly again: boolean }
  | { readonly result: 'unknown_order' }
  /** No fact of this order names that trade. */
  | { readonly result: 'unknown_trade' }
  | { readonly result: 'order_changed'; readonly version: number }
  /** Only a released trade can be reinstated. */
  | { readonly result: 'not_released' }
  /** Another order of the merchant has the trade now. */
  | { readonly result: 'trade_taken'; readonly owner: string | null };

export type TradeAction = 'release' | 'reinstate';

/** Does the action. @throws AppError `database_unavailable` */
export function changeTrade(
  deps: DatabaseDeps,
  action: TradeAction,
  command: TradeCommand,
): Promise<TradeOutcome> {
  return action === 'release' ? releaseTrade(deps, command) : reinstateTrade(deps, command);
}

/**
 * A dry run: the same code does the action and rolls it back.
 * @throws AppError `database_unavailable`: also when another transaction holds the order's lock for
 * long
 */
export function foreseeTrade(
  deps: DatabaseDeps,
  action: TradeAction,
  command: TradeCommand,
): Promise<TradeOutcome> {
  return rolledBack(deps, (tx) => changeTrade({ ...deps, within: tx }, action, command));
}

/**
 * The trade no longer counts in this order, whatever a later notification states about it. Its
 * claim is free: events of other orders that were held for it are decided again in the same
 * transaction.
 * @throws AppError `database_unavailable`
 */
async function releaseTrade(deps: DatabaseDeps, command: TradeCommand): Promise<TradeOutcome> {
  const release = (retries: boolean) =>
    inTransaction(deps, async (tx) => {
      const found = retries ? await findContenders(tx, command) : [];
      const contenders = await lockContenders(tx, command, found);
      const isLeft = contenders.length < found.length;
      return { outcome: await releaseInOne(tx, deps.clock(), command, contenders), isLeft };
    });
  const { outcome, isLeft } = await release(true).catch(async (error: unknown) => {
    if (isUnavailable(error)) throw error;
    // The held events cannot be applied. That must not keep the trade with an order that it does
    // not pay.
    deps.log.error(
      { err: messageOf(error) },
      'the schedule will retry the events held for a released trade',
    );
    return { ...(await release(false)), isLeft: true };
  });
  if (isLeft && outcome.result === 'done' && !deps.within) {
    await retryContenders(deps, command).catch((error: unknown) => {
      deps.log.warn({ err: messageOf(error) }, 'the schedule will retry held events');
    });
  }
  return outcome;
}

async function releaseInOne(
  tx: Tx,
  now: Date,
  command: TradeCommand,
  contenders: readonly HeldEvent[],
): Promise<TradeOutcome> {
  const keys = contenders.map(({ merchant, event }) => {
    return { merchant, number: event.orderNumber ?? '' };
  });
  const orders = await lockOrders(tx, [command, ...keys]);
  const found = await lookAt(tx, command, orders.get(orderKey(command)));
  if ('result' in found) return found;
  const { order, facts } = found;
  if (releaseOf(facts, command) !== null) return unchanged(tx, command, order, facts);
  const ids = [...orders.values()].map(({ id }) => id);
  const last = await lastOrderEvent(tx, ids);
  const plan = await state(tx, now, command, found, 'trade.release', (auditId) => {
    const { rail, trade } = command;
    return { kind: 'released', auditId, rail, trade, at: now };
  });
  await freeClaim(tx, now, { ...command, orderId: order.id });
  await storePlans(tx, now, [plan]);
  const again = await settleAgain(tx, now, contenders, { scheduled: false, forced: null });
  return done(tx, command, found, plan, {
    orderEvents: await orderEventsSince(tx, ids, last),
    heldEvents: again.map(({ stored, outcome }) => {
      const { notificationRowId: notification, position, event } = stored;
      return { notification, position, number: event.orderNumber, outcome };
    }),
  });
}

/**
 * Revokes the release: the order is as before it.
 * @throws AppError `database_unavailable`
 */
function reinstateTrade(deps: DatabaseDeps, command: TradeCommand): Promise<TradeOutcome> {
  return inTransaction(deps, async (tx) => {
    const now = deps.clock();
    const orders = await lockOrders(tx, [command]);
    const found = await lookAt(tx, command, orders.get(orderKey(command)));
    if ('result' in found) return found;
    const { order, facts } = found;
    const release = releaseOf(facts, command);
    if (release === null) {
      const { rail, trade } = command;
      const wasReleased = facts.some(
        (fact) => fact.kind === 'reinstated' && fact.rail === rail && fact.trade === trade,
      );
      return wasReleased ? unchanged(tx, command, order, facts) : { result: 'not_released' };
    }
    if (!(await reclaim(tx, { ...command, orderId: order.id }))) {
      return { result: 'trade_taken', owner: await ownerOf(tx, command) };
    }
    const last = await lastOrderEvent(tx, [order.id]);
    const plan = await state(tx, now, command, found, 'trade.reinstate', (auditId) => {
      const { rail, trade } = command;
      const releaseAuditId = release.auditId;
      return { kind: 'reinstated', auditId, releaseAuditId, rail, trade, at: now };
    });
    await storePlans(tx, now, [plan]);
    const orderEvents = await orderEventsSince(tx, [order.id], last);
    return done(tx, command, found, plan, { orderEvents, heldEvents: [] });
  });
}

interface Found {
  readonly order: KnownOrder;
  readonly facts: readonly Fact[];
}

/** Runs with the order locked. */
async function lookAt(
  tx: Tx,
  { rail, trade, version }: TradeCommand,
  order: KnownOrder | undefined,
): Promise<Found | Exclude<TradeOutcome, { result: 'done' }>> {
  if (order === undefined) return { result: 'unknown_order' };
  const facts = (await readFacts(tx, [order.id])).get(order.id) ?? [];
  const isTold = facts.some(
    (fact) =>
      fact.trade === trade && (fact.kind === 'closed' ? fact.by === rail : fact.rail === rail),
  );
  if (!isTold) return { result: 'unknown_trade' };
  if (version !== undefined && version !== order.version) {
    return { result: 'order_changed', version: order.version };
  }
  return { order, facts };
}

/** Writes the audit row, and plans the order with the fact that names it. */
async function state(
  tx: Tx,
  now: Date,
  command: TradeCommand,
  { order, facts }: Found,
  action: 'trade.release' | 'trade.reinstate',
  factOf: (auditId: string) => Fact,
): Promise<OrderPlan> {
  const { rail, trade } = command;
  const detail = { rail, trade, before: deriveOrder(facts).status };
  const auditId = await writeAudit(tx, now, command, { action, orderId: order.id, detail });
  const fact = factOf(auditId.toString());
  return planOrder(order, facts, [{ facts: [fact], notificationRowId: null }]);
}

async function done(
  tx: Tx,
  command: TradeCommand,
  { order, facts }: Found,
  plan: OrderPlan,
  effect: Pick<TradeEffect, 'orderEvents' | 'heldEvents'>,
): Promise<TradeOutcome> {
  const before = standing(deriveOrder(facts), order.version);
  const after = standing(plan.state, plan.version);
  const owner = await ownerOf(tx, command);
  return { result: 'done', again: false, effect: { before, after, owner, ...effect } };
}

async function unchanged(
  tx: Tx,
  command: TradeCommand,
  { version }: KnownOrder,
  facts: readonly Fact[],
): Promise<TradeOutcome> {
  const same = standing(deriveOrder(facts), version);
  const owner = await ownerOf(tx, command);
  const effect = { before: same, after: same, owner, orderEvents: [], heldEvents: [] };
  return { result: 'done', again: true, effect };
}

function standing(
  { status, paidAmount, refundedAmount, attention }: OrderState,
  version: number,
): Standing {
  return { status, paidAmount, refundedAmount, attention, version };
}

/** The orders are locked, so that no other transaction writes their order events. */
async function lastOrderEvent(tx: Tx, orderIds: readonly bigint[]): Promise<bigint> {
  const [row] = await tx.$queryRaw<{ last: bigint | null }[]>`
    SELECT max(id) AS last FROM order_events WHERE order_id = ANY(${[...orderIds]}::bigint[])`;
  return row?.last ?? 0n;
}

function orderEventsSince(
  tx: Tx,
  orderIds: readonly bigint[],
  last: bigint,
): Promise<TradeEffect['orderEvents']> {
  return tx.$queryRaw<{ number: string; type: string; milestone: string }[]>`
    SELECT o.number, e.type, e.milestone FROM order_events e JOIN orders o ON o.id = e.order_id
    WHERE e.order_id = ANY(${[...orderIds]}::bigint[]) AND e.id > ${last} ORDER BY e.id`;
}
