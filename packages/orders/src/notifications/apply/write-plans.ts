import { Prisma } from '@payonce/prisma/client';
import type { Tx } from '../../database/transaction.js';
import { insertDeliveries } from '../../deliveries/fan-out.js';
import { HAS_ENDPOINT_LOCK } from '../../endpoints/lock.js';
import { upsertFacts } from '../../orders/fact-rows.js';
import { insertOrderEvents } from '../../orders/order-event-rows.js';
import { updateOrders } from '../../orders/order-rows.js';
import type { OrderPlan } from '../../orders/plan.js';

/**
 * Writes the plans (facts, orders, order events), and `also`, in one statement. The caller holds
 * the orders' locks, so that it waits for none. Where the transaction keeps the endpoints
 * unchanged, it creates the order events' deliveries at once. Otherwise `fanOut` creates them.
 * @returns how many deliveries were created
 */
export async function writePlans(
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
    WITH fact AS (${upsertFacts(now, changed)}), state AS (${updateOrders(now, changed)}),
    ${also === null ? Prisma.empty : Prisma.sql`also AS (${also}),`}
    event AS (${insertOrderEvents(now, changed, HAS_ENDPOINT_LOCK)}),
    due AS (SELECT * FROM event WHERE fanned_out_at IS NOT NULL),
    subscribed AS (
      SELECT id, merchant, event_types, disabled_at FROM webhook_endpoints
      WHERE merchant = ANY(${merchants}::text[]) AND deleted_at IS NULL
    )
    ${insertDeliveries(now)}`;
}
