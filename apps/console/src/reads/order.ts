import type { Tx } from '@payonce/orders/database/transaction';
import { readFacts } from '@payonce/orders/orders/fact-rows';
import { type OrderTrade, tradesOf } from '@payonce/orders/orders/order-trades';
import type { PrismaClient } from '@payonce/prisma/client';
import type { Timeline, TimelineEntry } from '../schemas/timeline.js';
import type { OrderRow } from './held-events.js';
import {
  readAuditRows,
  readEventRows,
  readFactRows,
  readOrderEventRows,
  readTimelineRows,
  readTradeRows,
} from './history-rows.js';
import { inSnapshot } from './in-snapshot.js';
import { timelineOf } from './timeline.js';

interface OrderKey {
  readonly merchant: string;
  readonly number: string;
}

/**
 * One order with its facts, trades, events and audit rows, one row more of each than is shown.
 * @returns null for an unregistered order
 */
export function readOrder(prisma: PrismaClient, key: OrderKey) {
  return inSnapshot(prisma, async (tx) => {
    const order = await findOrder(tx, key);
    if (order === null) return null;
    const { id: orderId, merchant, number: orderNumber } = order;
    return {
      order,
      facts: await readFactRows(tx, orderId),
      trades: await readTradeRows(tx, orderId),
      events: await readEventRows(tx, { merchant, orderNumber }),
      orderEvents: await readOrderEventRows(tx, { orderId }),
      audit: await readAuditRows(tx, { orderId }),
    };
  });
}

/**
 * The complete history of one order, in time order: copies, replies, decisions, facts, order
 * events, deliveries and people's actions.
 * @returns null for an unregistered order
 */
export function readOrderTimeline(prisma: PrismaClient, key: OrderKey): Promise<Timeline | null> {
  return inSnapshot(prisma, async (tx) => {
    const order = await findOrder(tx, key);
    return order && orderTimeline(tx, order);
  });
}

/** An order with its trades and its timeline, from one snapshot. */
export interface OrderWithTimeline {
  readonly order: OrderRow;
  readonly trades: readonly OrderTrade[];
  readonly timeline: Timeline;
}

/**
 * The data of an order's page.
 * @returns null for an unregistered order
 */
export function readOrderWithTimeline(
  prisma: PrismaClient,
  key: OrderKey,
): Promise<OrderWithTimeline | null> {
  return inSnapshot(prisma, async (tx) => {
    const order = await findOrder(tx, key);
    if (order === null) return null;
    const facts = (await readFacts(tx, [order.id])).get(order.id) ?? [];
    return { order, trades: tradesOf(facts), timeline: await orderTimeline(tx, order) };
  });
}

export function findOrder(tx: Tx, { merchant, number }: OrderKey): Promise<OrderRow | null> {
  return tx.order.findUnique({ where: { merchant_number: { merchant, number } } });
}

async function orderTimeline(tx: Tx, order: OrderRow): Promise<Timeline> {
  const registered: TimelineEntry = {
    kind: 'registered',
    at: order.createdAt.toISOString(),
    amount: order.amount.toString(),
    currency: order.currency,
  };
  const { merchant, number: orderNumber } = order;
  return timelineOf(await readTimelineRows(tx, { merchant, orderNumber }, order.id), [registered]);
}
