/** An operator declares that a trade does not pay an order, or revokes that. Both are facts. */

import { messageOf } from '@payonce/core/runtime/errors';
import type { Fact } from '@payonce/providers/fact';
import { writeAudit } from '../../database/audit.js';
import type { DatabaseDeps } from '../../database/deps.js';
import { preview } from '../../database/preview.js';
import { inTransaction, isUnavailable, type Tx } from '../../database/transaction.js';
import { deriveOrder } from '../../orders/derive.js';
import { readFacts } from '../../orders/fact-rows.js';
import { lockOrders } from '../../orders/lock-orders.js';
import { type LockedOrder, orderKey } from '../../orders/order.js';
import { lastOrderEvent, orderEventsSince } from '../../orders/order-event-rows.js';
import { type OrderPlan, planOrder } from '../../orders/plan.js';
import { releaseOf } from '../../orders/released.js';
import { giveUpTrade, ownerOf, takeTradeBack } from '../../orders/trade-rows.js';
import { writePlans } from '../apply/write-plans.js';
import { resolveHeldEvents } from '../held/resolve-held-events.js';
import type { HeldEvent } from '../records/stored-event.js';
import { findHeldForTrade, retryHeldForTrade, tryLockHeldForTrade } from './held-for-trade.js';
import {
  changed,
  type OrderWithFacts,
  type TradeCommand,
  type TradeOutcome,
  unchanged,
} from './trade-outcome.js';

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
 * A preview: the same code does the action and rolls it back.
 * @throws AppError `database_unavailable`: also when another transaction holds the order's lock for
 * long
 */
export function previewTrade(
  deps: DatabaseDeps,
  action: TradeAction,
  command: TradeCommand,
): Promise<TradeOutcome> {
  return preview(deps, (tx) => changeTrade({ ...deps, outerTx: tx }, action, command));
}

/**
 * The trade no longer counts in this order, whatever a later notification states about it. No order
 * has it then: events of other orders that were held for it are resolved again in the same
 * transaction.
 * @throws AppError `database_unavailable`
 */
async function releaseTrade(deps: DatabaseDeps, command: TradeCommand): Promise<TradeOutcome> {
  const release = (retries: boolean) =>
    inTransaction(deps, async (tx) => {
      const found = retries ? await findHeldForTrade(tx, command) : [];
      const held = await tryLockHeldForTrade(tx, command, found);
      const isLeft = held.length < found.length;
      return { outcome: await releaseTogether(tx, deps.clock(), command, held), isLeft };
    });
  const { outcome, isLeft } = await release(true).catch(async (error: unknown) => {
    if (isUnavailable(error)) throw error;
    // The held events cannot be applied. That must not keep the trade with an order that it does
    // not pay.
    const { rail, trade } = command;
    deps.log.error({ err: messageOf(error), rail, trade }, 'held.release_failed');
    return { ...(await release(false)), isLeft: true };
  });
  if (isLeft && outcome.result === 'done' && !deps.outerTx) {
    await retryHeldForTrade(deps, command).catch((error: unknown) => {
      deps.log.warn({ err: messageOf(error) }, 'held.retry_failed');
    });
  }
  return outcome;
}

async function releaseTogether(
  tx: Tx,
  now: Date,
  command: TradeCommand,
  held: readonly HeldEvent[],
): Promise<TradeOutcome> {
  const keys = held.map(({ merchant, event }) => {
    return { merchant, number: event.orderNumber ?? '' };
  });
  const orders = await lockOrders(tx, [command, ...keys]);
  const found = await readOrder(tx, command, orders.get(orderKey(command)));
  if ('result' in found) return found;
  if (releaseOf(found.facts, command) !== null) return unchanged(tx, command, found);
  const ids = [...orders.values()].map(({ id }) => id);
  const last = await lastOrderEvent(tx, ids);
  const plan = await planFact(tx, now, command, found, 'trade.release', (auditId) => {
    const { rail, trade } = command;
    return { kind: 'released', auditId, rail, trade, at: now };
  });
  await giveUpTrade(tx, now, { ...command, orderId: found.order.id });
  await writePlans(tx, now, [plan]);
  const resolved = await resolveHeldEvents(tx, now, held, { scheduled: false, holdAs: null });
  return changed(tx, command, found, plan, {
    orderEvents: await orderEventsSince(tx, ids, last),
    heldEvents: resolved.map(({ notificationRowId: notification, position, event, outcome }) => {
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
    const found = await readOrder(tx, command, orders.get(orderKey(command)));
    if ('result' in found) return found;
    const { order, facts } = found;
    const release = releaseOf(facts, command);
    if (release === null) {
      const { rail, trade } = command;
      const wasReleased = facts.some(
        (fact) => fact.kind === 'reinstated' && fact.rail === rail && fact.trade === trade,
      );
      return wasReleased ? unchanged(tx, command, found) : { result: 'not_released' };
    }
    if (!(await takeTradeBack(tx, { ...command, orderId: order.id }))) {
      return { result: 'trade_taken', owner: await ownerOf(tx, command) };
    }
    const last = await lastOrderEvent(tx, [order.id]);
    const plan = await planFact(tx, now, command, found, 'trade.reinstate', (auditId) => {
      const { rail, trade } = command;
      const releaseAuditId = release.auditId;
      return { kind: 'reinstated', auditId, releaseAuditId, rail, trade, at: now };
    });
    await writePlans(tx, now, [plan]);
    const orderEvents = await orderEventsSince(tx, [order.id], last);
    return changed(tx, command, found, plan, { orderEvents, heldEvents: [] });
  });
}

/** Runs with the order locked. */
async function readOrder(
  tx: Tx,
  { rail, trade, version }: TradeCommand,
  order: LockedOrder | undefined,
): Promise<OrderWithFacts | Exclude<TradeOutcome, { result: 'done' }>> {
  if (order === undefined) return { result: 'unknown_order' };
  const facts = (await readFacts(tx, [order.id])).get(order.id) ?? [];
  const hasTrade = facts.some(
    (fact) =>
      fact.trade === trade && (fact.kind === 'closed' ? fact.by === rail : fact.rail === rail),
  );
  if (!hasTrade) return { result: 'unknown_trade' };
  if (version !== undefined && version !== order.version) {
    return { result: 'order_changed', version: order.version };
  }
  return { order, facts };
}

/** Writes the audit row, and plans the order with the fact that names it. */
async function planFact(
  tx: Tx,
  now: Date,
  command: TradeCommand,
  { order, facts }: OrderWithFacts,
  action: 'trade.release' | 'trade.reinstate',
  factOf: (auditId: string) => Fact,
): Promise<OrderPlan> {
  const { rail, trade } = command;
  const detail = { rail, trade, before: deriveOrder(facts).status };
  const auditId = await writeAudit(tx, now, command, { action, orderId: order.id, detail });
  const fact = factOf(auditId.toString());
  return planOrder(order, facts, [{ facts: [fact], notificationRowId: null, receivedAt: null }]);
}
