/** What an operator asks for a trade of an order, and what follows. */

import type { Fact } from '@payonce/providers/fact';
import type { Operator } from '../../database/audit.js';
import type { Tx } from '../../database/transaction.js';
import { deriveOrder } from '../../orders/derive.js';
import type { LockedOrder, OrderState } from '../../orders/order.js';
import type { WrittenOrderEvent } from '../../orders/order-event-rows.js';
import type { OrderPlan } from '../../orders/plan.js';
import type { TradeName } from '../../orders/released.js';
import { ownerOf } from '../../orders/trade-rows.js';
import type { EventOutcome } from '../records/notification.js';

/** One trade of one order, and the operator who acts on it. */
export interface TradeCommand extends Operator, TradeName {
  readonly merchant: string;
  readonly number: string;
  /** The expected version, if given: an order that has changed since is left unchanged. */
  readonly version?: number | undefined;
}

/** An order before or after the action. */
export interface OrderSummary
  extends Pick<OrderState, 'status' | 'paidAmount' | 'refundedAmount' | 'attention'> {
  readonly version: number;
}

/** All effects of the action. */
export interface TradeEffect {
  readonly before: OrderSummary;
  readonly after: OrderSummary;
  /** The number of the merchant's order that has the trade afterwards; null: it is free. */
  readonly owner: string | null;
  /** The order events, also of the order that gets the trade. */
  readonly orderEvents: readonly WrittenOrderEvent[];
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

/** A locked order with its facts. */
export interface OrderWithFacts {
  readonly order: LockedOrder;
  readonly facts: readonly Fact[];
}

export async function changed(
  tx: Tx,
  command: TradeCommand,
  { order, facts }: OrderWithFacts,
  plan: OrderPlan,
  effect: Pick<TradeEffect, 'orderEvents' | 'heldEvents'>,
): Promise<TradeOutcome> {
  const before = summaryOf(deriveOrder(facts), order.version);
  const after = summaryOf(plan.state, plan.version);
  const owner = await ownerOf(tx, command);
  return { result: 'done', again: false, effect: { before, after, owner, ...effect } };
}

export async function unchanged(
  tx: Tx,
  command: TradeCommand,
  { order, facts }: OrderWithFacts,
): Promise<TradeOutcome> {
  const same = summaryOf(deriveOrder(facts), order.version);
  const owner = await ownerOf(tx, command);
  const effect = { before: same, after: same, owner, orderEvents: [], heldEvents: [] };
  return { result: 'done', again: true, effect };
}

function summaryOf(
  { status, paidAmount, refundedAmount, attention }: OrderState,
  version: number,
): OrderSummary {
  return { status, paidAmount, refundedAmount, attention, version };
}
