/** SQL that writes plans: facts, orders, order events. */
import { Prisma } from '@payonce/prisma/client';
import { recordset } from '../database/recordset.js';
import type { Tx } from '../database/transaction.js';
import { ENDPOINTS_KEPT } from '../deliveries/endpoint-lock.js';
import { insertDeliveries } from '../deliveries/fan-out.js';
import { factToRow } from '../orders/fact-rows.js';
import { milestoneKey } from '../orders/milestones.js';
import type { Crossing, OrderPlan } from '../orders/plan.js';

/**
 * Writes the plans, and `also`, in one statement. The caller holds the orders' locks, so that it
 * waits for none. Where the transaction keeps the endpoints unchanged, it creates the order events'
 * deliveries at once. Otherwise `fanOut` creates them.
 * @returns how many deliveries were created
 */
export async function storePlans(
  tx: Tx,
  now: Date,
  plans: readonly OrderPlan[],
  also: Prisma.Sql | null = null,
): Promise<number> {
  const changed = plans.filter((plan) => plan.changes.length > 0);
  if (changed.length === 0) {
    if (also !== null) await tx.$executeRaw(also);
    return 0;
  }
  const merchants = [...new Set(changed.map(({ order }) => order.merchant))];
  return tx.$executeRaw`
    WITH written AS (${factsOf(now, changed)}), moved AS (${statesOf(now, changed)}),
    ${also === null ? Prisma.empty : Prisma.sql`also AS (${also}),`}
    event AS (${orderEventsOf(now, changed)}),
    due AS (SELECT * FROM event WHERE fanned_out_at IS NOT NULL),
    told AS (
      SELECT id, merchant, event_types, disabled_at FROM webhook_endpoints
      WHERE merchant = ANY(${merchants}::text[]) AND deleted_at IS NULL
    )
    ${insertDeliveries(now)}`;
}

/** Repeats `mergeFact` in SQL: no writer can ever make a known fact less precise. */
function factsOf(now: Date, plans: readonly OrderPlan[]): Prisma.Sql {
  const rows = plans.flatMap(({ order, changes }) =>
    changes.map(({ fact, notificationRowId }) => ({
      ...factToRow(order.id, fact),
      notification_row_id: notificationRowId === null ? null : String(notificationRowId),
    })),
  );
  const told = recordset(rows, {
    order_id: 'bigint',
    key: 'text',
    kind: 'text',
    rail: 'text',
    trade: 'text',
    refund_id: 'text',
    refund_status: 'text',
    amount: 'bigint',
    at: 'timestamptz',
    audit_id: 'bigint',
    release_audit_id: 'bigint',
    notification_row_id: 'bigint',
  });
  return Prisma.sql`
    INSERT INTO facts AS f (order_id, key, kind, rail, trade, refund_id, refund_status, amount, at,
      audit_id, release_audit_id, notification_row_id, created_at)
    SELECT c.*, ${now} FROM ${told} AS c
    ORDER BY c.order_id, c.key
    ON CONFLICT (order_id, key) DO UPDATE SET
      at = LEAST(f.at, excluded.at),
      amount = GREATEST(f.amount, excluded.amount),
      trade = LEAST(f.trade COLLATE "C", excluded.trade COLLATE "C")
    WHERE (f.at, f.amount, f.trade) IS DISTINCT FROM (LEAST(f.at, excluded.at),
      GREATEST(f.amount, excluded.amount), LEAST(f.trade COLLATE "C", excluded.trade COLLATE "C"))`;
}

function statesOf(now: Date, plans: readonly OrderPlan[]): Prisma.Sql {
  const rows = plans.map(({ order, version, state }) => ({
    id: String(order.id),
    version,
    status: state.status,
    paid_amount: String(state.paidAmount),
    refunded_amount: String(state.refundedAmount),
    paid_at: state.paidAt,
    primary_rail: state.primary?.rail ?? null,
    primary_trade: state.primary?.trade ?? null,
    attention: state.attention.join(','),
  }));
  const states = recordset(rows, {
    id: 'bigint',
    version: 'int',
    status: 'text',
    paid_amount: 'bigint',
    refunded_amount: 'bigint',
    paid_at: 'timestamptz',
    primary_rail: 'text',
    primary_trade: 'text',
    attention: 'text',
  });
  return Prisma.sql`
    UPDATE orders o SET status = s.status, paid_amount = s.paid_amount,
      refunded_amount = s.refunded_amount, paid_at = s.paid_at, primary_rail = s.primary_rail,
      primary_trade = s.primary_trade, attention = string_to_array(s.attention, ','),
      version = s.version, updated_at = ${now}
    FROM ${states} AS s
    WHERE o.id = s.id`;
}

/** A milestone that is crossed again (a flag that went and came back) has its row already. */
function orderEventsOf(now: Date, plans: readonly OrderPlan[]): Prisma.Sql {
  const rows = plans
    .flatMap(({ order, crossings }) => crossings.map((crossing) => ({ order, crossing })))
    .map(({ order, crossing }, place) => ({
      place,
      order_id: String(order.id),
      merchant: order.merchant,
      type: crossing.type,
      milestone: milestoneKey(crossing),
      version: crossing.version,
      payload: orderEventPayload(order, crossing),
    }));
  const events = recordset(rows, {
    place: 'int',
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
      CASE WHEN ${ENDPOINTS_KEPT} THEN ${now}::timestamptz END
    FROM ${events} AS e ORDER BY e.place
    ON CONFLICT (order_id, type, milestone) DO NOTHING
    RETURNING id, order_id, merchant, type, fanned_out_at`;
}

/** The order at that version, as `deliveries/messages.ts` describes it: amounts as text. */
function orderEventPayload(
  order: OrderPlan['order'],
  { milestone, version, state, withdrawn }: Crossing,
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
  });
}
