/** An operator's actions on a held event. Each writes its audit row in the same transaction. */

import { messageOf } from '@payonce/core/runtime/errors';
import { paidAmountOf } from '@payonce/providers/fact';
import { type AuditAction, type Operator, writeAudit } from '../../database/audit.js';
import type { DatabaseDeps } from '../../database/deps.js';
import type { HoldReason } from '../../database/hold-reason.js';
import { inTransaction, isUnavailable, type Tx } from '../../database/transaction.js';
import { claimTrades } from '../../orders/claim-trades.js';
import { lockOrders } from '../../orders/lock-orders.js';
import { type LockedOrder, orderKey } from '../../orders/order.js';
import { findOrders } from '../../orders/order-rows.js';
import { planOrder } from '../../orders/plan.js';
import { claimsOf, contestedFacts, ownsAll } from '../../orders/trade-claim.js';
import { needsOrder } from '../apply/decide.js';
import { writePlans } from '../apply/write-plans.js';
import { readEvents, updateEvents } from '../records/event-rows.js';
import type { EventOutcome } from '../records/notification.js';
import { lockNotificationRow } from '../records/notification-locks.js';
import { updateNotifications } from '../records/notification-rows.js';
import { type HeldEvent, isHeld, type StoredEvent, storable } from '../records/stored-event.js';
import { acceptEvent, acceptedFacts, type Unacceptable } from './accept-held-event.js';
import { resolveHeldEvents } from './resolve-held-events.js';

/** One event of one notification, and the operator who acts on it. */
export interface EventCommand extends Operator {
  /** The notification's row. */
  readonly notification: bigint;
  readonly position: number;
}

export type OperatorOutcome =
  /** `again`: this very action was done before; nothing was changed now. */
  | ({ readonly result: 'done'; readonly again: boolean } & EventOutcome)
  | { readonly result: 'unknown_event' }
  /** Decided meanwhile, or by another action. */
  | ({ readonly result: 'not_held' } & EventOutcome)
  /**
   * The action has no meaning for this event; nothing was changed, and no audit row was written.
   */
  | { readonly result: 'refused'; readonly why: Unacceptable }
  /**
   * The event has another amount than the caller named. Without a named amount: another one than
   * is due, although the event is held for a different reason.
   */
  | { readonly result: 'other_amount'; readonly amount: bigint | null };

export type HeldAction = 'retry' | 'accept' | 'reject';

/** Does the action. @throws AppError `database_unavailable` */
export function applyOperatorAction(
  deps: DatabaseDeps,
  action: HeldAction,
  command: EventCommand,
): Promise<OperatorOutcome> {
  switch (action) {
    case 'retry':
      return retryEvent(deps, command);
    case 'accept':
      return acceptHeldEvent(deps, command);
    case 'reject':
      return rejectHeldEvent(deps, command);
  }
}

/**
 * Resolves the event again now, as a registration or the schedule does.
 * @throws AppError `database_unavailable`
 */
export async function retryEvent(
  deps: DatabaseDeps,
  command: EventCommand,
): Promise<OperatorOutcome> {
  const retry = (holdAs: HoldReason | null) =>
    withHeldEvent(deps, command, 'event.retry', async (tx, now, held) => {
      const [resolved] = await resolveHeldEvents(tx, now, [held], { scheduled: false, holdAs });
      if (resolved === undefined) throw new Error('a retried event without an outcome');
      const { outcome } = resolved;
      await audit(tx, now, command, 'event.retry', held, { outcome });
      return { result: 'done', ...outcome, again: false };
    });
  try {
    return await retry(null);
  } catch (error) {
    if (isUnavailable(error)) throw error;
    const { notification } = command;
    deps.log.error({ err: messageOf(error), notification }, 'held.apply_failed');
    return retry('internal_error');
  }
}

/**
 * Applies a held event by an operator's decision. Its order counts as paid with the amount
 * received, and the refunds that the event asserts are applied. A given `amount` must equal the
 * paid amount in the event. So nobody accepts a sum other than the one that was seen.
 * @throws AppError `database_unavailable`
 */
export async function acceptHeldEvent(
  deps: DatabaseDeps,
  command: EventCommand & { readonly amount?: bigint | undefined },
): Promise<OperatorOutcome> {
  return withHeldEvent(deps, command, 'event.accept', async (tx, now, held) => {
    const { event } = held;
    const order = event.kind === 'order' ? await lockOrder(tx, held) : null;
    const acceptance = acceptEvent(event, order, held.outcome.reason);
    if (!acceptance.acceptable) return { result: 'refused', why: acceptance.why };
    if (order === null) return { result: 'refused', why: 'unknown_order' };
    const received = paidAmountOf(acceptance.facts);
    if (received !== amountExpected(command, held, order, received)) {
      return { result: 'other_amount', amount: received };
    }
    const claims = claimsOf(acceptance.facts, order);
    // Only now, with the order locked.
    const { owners, facts: stored, contested } = await claimTrades(tx, now, claims, [order.id]);
    if (!ownsAll(claims, owners, stored)) {
      return { result: 'refused', why: 'trade_on_other_order' };
    }
    const known = stored.get(order.id) ?? [];
    const trade = event.kind === 'order' ? event.trade : null;
    const detail = { trade, amount: received?.toString() ?? null, due: order.amount.toString() };
    const auditId = await audit(tx, now, command, 'event.accept', held, detail, order);
    const accepted = acceptedFacts(acceptance.facts, known, auditId.toString());
    const facts = [...accepted, ...contestedFacts(claims, contested)];
    const plan = planOrder(order, known, [
      { facts, notificationRowId: held.notificationRowId, receivedAt: held.receivedAt },
    ]);
    await writePlans(tx, now, [plan]);
    const [outcome] = plan.outcomes;
    if (outcome === undefined) throw new Error('an accepted event without an outcome');
    await recordDecision(tx, now, held, { outcome });
    return { result: 'done', outcome, again: false };
  });
}

/**
 * Rejects a held event: it is ignored, and kept.
 * @throws AppError `database_unavailable`
 */
export async function rejectHeldEvent(
  deps: DatabaseDeps,
  command: EventCommand,
): Promise<OperatorOutcome> {
  return withHeldEvent(deps, command, 'event.reject', async (tx, now, held) => {
    const outcome: EventOutcome = { outcome: 'ignored' };
    await recordDecision(tx, now, held, outcome);
    await audit(tx, now, command, 'event.reject', held, { outcome });
    return { result: 'done', ...outcome, again: false };
  });
}

/**
 * Locks the notification first, as all paths do. Another transaction may apply a copy, release the
 * event for its order or take it by schedule. It waits for this one or has committed before it.
 */
function withHeldEvent(
  deps: DatabaseDeps,
  { notification, position }: EventCommand,
  action: AuditAction,
  work: (tx: Tx, now: Date, held: HeldEvent) => Promise<OperatorOutcome>,
): Promise<OperatorOutcome> {
  return inTransaction(deps, async (tx) => {
    await lockNotificationRow(tx, notification);
    const events = await readEvents(tx, [notification]);
    const stored = events.find((event) => event.position === position);
    if (stored === undefined) return { result: 'unknown_event' };
    if (isHeld(stored)) return work(tx, deps.clock(), stored);
    const { outcome } = stored;
    return (await wasDecidedBy(tx, stored, action))
      ? { result: 'done', ...outcome, again: true }
      : { result: 'not_held', ...outcome };
  });
}

/** A caller repeats a request when it got no response. A retry alone decides nothing. */
async function wasDecidedBy(tx: Tx, { id }: StoredEvent, action: AuditAction): Promise<boolean> {
  const [last] = await tx.$queryRaw<{ action: string }[]>`
    SELECT action FROM audit_log WHERE notification_event_id = ${id} AND action <> 'event.retry'
    ORDER BY id DESC LIMIT 1`;
  return last?.action === action;
}

async function lockOrder(tx: Tx, { merchant, event }: HeldEvent): Promise<LockedOrder | null> {
  const number = storable(event.orderNumber);
  if (number === null) return null;
  const key = { merchant, number };
  return (await lockOrders(tx, [key])).get(orderKey(key)) ?? null;
}

async function recordDecision(
  tx: Tx,
  now: Date,
  held: HeldEvent,
  outcome: EventOutcome,
): Promise<void> {
  await updateEvents(tx, now, [{ stored: held, outcome }], false);
  await updateNotifications(tx, now, new Map([[held.notificationRowId, 0]]));
}

/**
 * The amount that the operator accepts: the named amount, if any. Otherwise, for an event held for
 * its amount, the event's amount, since the operator saw that one. Otherwise the amount due.
 */
function amountExpected(
  { amount }: { readonly amount?: bigint | undefined },
  held: HeldEvent,
  order: LockedOrder,
  received: bigint | null,
): bigint | null {
  if (amount !== undefined) return amount;
  return held.outcome.reason === 'amount_mismatch' || received === null ? received : order.amount;
}

async function audit(
  tx: Tx,
  now: Date,
  operator: Operator,
  action: AuditAction,
  held: HeldEvent,
  detail: Readonly<Record<string, unknown>>,
  order: LockedOrder | null = null,
): Promise<bigint> {
  const number = needsOrder(held.event) ? storable(held.event.orderNumber) : null;
  const key = { merchant: held.merchant, number: number ?? '' };
  const found = order ?? (await findOrders(tx, [key])).get(orderKey(key)) ?? null;
  return writeAudit(tx, now, operator, {
    action,
    orderId: found?.id ?? null,
    notificationEventId: held.id,
    detail: { holdReason: held.outcome.reason, ...detail },
  });
}
