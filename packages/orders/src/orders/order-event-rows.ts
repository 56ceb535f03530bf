/** SQL of order events, the outbox. */
import { Prisma } from '@payonce/prisma/client';
import { recordset } from '../database/recordset.js';
import type { Tx } from '../database/transaction.js';
import { milestoneKey } from './milestones.js';
import type { OrderPlan, ReachedMilestone } from './plan.js';

/**
 * Part of a statement: enqueues an order event for each milestone that the plans reach. A milestone
 * that is reached again (a flag that went and came back) has its row already.
 * @param hasDeliveries whether the same statement creates the deliveries
 */
export function insertOrderEvents(
  now: Date,
  plans: readonly OrderPlan[],
  hasDeliveries: Prisma.Sql,
): Prisma.Sql {
  const rows = plans
    .flatMap(({ order, milestones }) => milestones.map((milestone) => ({ order, milestone })))
    .map(({ order, milestone }, position) => ({
      position,
      order_id: String(order.id),
      merchant: order.merchant,
      type: milestone.type,
      milestone: milestoneKey(milestone),
      version: milestone.version,
      payload: orderEventPayload(order, milestone),
    }));
  const events = recordset(rows, {
    position: 'int',
    order_id: 'bigint',
    merchant: 'text',
    type: 'text',
    milestone: 'text',
    version: 'int',
    payload: 'text',
  });
  return Prisma.sql`
    INSERT INTO order_events (order_id, merchant, type, milestone, version, payload, created_at,
      fanned_out_at)
    SELECT e.order_id, e.merchant, e.type, e.milestone, e.version, e.payload::jsonb, ${now},
      CASE WHEN ${hasDeliveries} THEN ${now}::timestamptz END
    FROM ${events} AS e ORDER BY e.position
    ON CONFLICT (order_id, type, milestone) DO NOTHING
    RETURNING id, order_id, merchant, type, fanned_out_at`;
}

/** The order at that version, as `deliveries/messages.ts` describes it: amounts as text. */
function orderEventPayload(
  order: OrderPlan['order'],
  { milestone, version, state, withdrawn, replayed }: ReachedMilestone,
): string {
  const { primary } = state;
  return JSON.stringify({
    merchant: order.merchant,
    orderNumber: order.number,
    amount: order.amount.toString(),
    currency: order.currency,
    status: state.status,
    paidAmount: state.paidAmount.toString(),
    refundedAmount: state.refundedAmount.toString(),
    paidAt: state.paidAt,
    attention: state.attention,
    trade: primary && { rail: primary.rail, trade: primary.trade },
    version,
    milestone,
    ...(withdrawn && { withdrawn }),
    ...(replayed && { replayed }),
  });
}

/** The orders are locked, so that no other transaction writes their order events. */
export async function lastOrderEvent(tx: Tx, orderIds: readonly bigint[]): Promise<bigint> {
  const [row] = await tx.$queryRaw<{ last: bigint | null }[]>`
    SELECT max(id) AS last FROM order_events WHERE order_id = ANY(${[...orderIds]}::bigint[])`;
  return row?.last ?? 0n;
}

/** An order event, with the number of its order. */
export interface WrittenOrderEvent {
  readonly number: string;
  readonly type: string;
  readonly milestone: string;
}

export function orderEventsSince(
  tx: Tx,
  orderIds: readonly bigint[],
  last: bigint,
): Promise<WrittenOrderEvent[]> {
  return tx.$queryRaw<WrittenOrderEvent[]>`
    SELECT o.number, e.type, e.milestone FROM order_events e JOIN orders o ON o.id = e.order_id
    WHERE e.order_id = ANY(${[...orderIds]}::bigint[]) AND e.id > ${last} ORDER BY e.id`;
}
