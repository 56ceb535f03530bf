/** An operator sends an order event again, or all parked deliveries of an endpoint. */
import { Prisma } from '@payonce/prisma/client';
import { type Operator, writeAudit } from '../database/audit.js';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction } from '../database/transaction.js';
import { lockEndpoint } from '../endpoints/rows.js';
import { asNew, auditDelivery, type DeliveryRow } from './delivery-rows.js';
import { isLeased } from './lease.js';
import type { EndpointDisabled } from './redeliver.js';

export type RedeliverEventOutcome =
  /** The deliveries to be made; those that are being sent are left unchanged. */
  | { readonly result: 'done'; readonly deliveries: readonly bigint[] }
  | { readonly result: 'unknown_order_event' }
  /** The merchant has no such endpoint. */
  | { readonly result: 'unknown_endpoint' }
  | EndpointDisabled;

/**
 * Sends an order event again: to one endpoint, whether or not it wants that type, or to all enabled
 * endpoints of the merchant that want it. This includes endpoints that did not exist at the time of
 * the event.
 * @throws AppError `database_unavailable`
 */
export async function redeliverOrderEvent(
  deps: DatabaseDeps,
  command: Operator & {
    readonly orderEvent: bigint;
    readonly endpoint?: bigint | undefined;
  },
): Promise<RedeliverEventOutcome> {
  return inTransaction(deps, async (tx): Promise<RedeliverEventOutcome> => {
    const now = deps.clock();
    const event = await tx.orderEvent.findUnique({
      where: { id: command.orderEvent },
      select: { id: true, merchant: true, type: true },
    });
    if (event === null) return { result: 'unknown_order_event' };
    const chosen =
      command.endpoint === undefined
        ? Prisma.sql`(e.event_types = '{}' OR ${event.type} = ANY(e.event_types))`
        : Prisma.sql`e.id = ${command.endpoint}`;
    const endpoints = await tx.$queryRaw<{ id: bigint; isEnabled: boolean }[]>`
      SELECT e.id, e.disabled_at IS NULL AS "isEnabled" FROM webhook_endpoints e
      WHERE e.merchant = ${event.merchant} AND e.deleted_at IS NULL AND ${chosen}
      ORDER BY e.id FOR NO KEY UPDATE`;
    const enabled = endpoints.filter(({ isEnabled }) => isEnabled).map(({ id }) => id);
    if (command.endpoint !== undefined) {
      if (endpoints.length === 0) return { result: 'unknown_endpoint' };
      if (enabled.length === 0) return { result: 'endpoint_disabled' };
    }
    const rows = await tx.$queryRaw<DeliveryRow[]>`
      INSERT INTO deliveries AS d (endpoint_id, order_event_id, order_id, next_attempt_at, created_at)
      SELECT e.id, o.id, o.order_id, ${now}, ${now}
      FROM order_events o CROSS JOIN unnest(${enabled}::bigint[]) AS e (id) WHERE o.id = ${event.id}
      ON CONFLICT (endpoint_id, order_event_id) DO UPDATE SET ${asNew(now)}
      WHERE NOT ${isLeased(now, 'd')}
      RETURNING id, endpoint_id AS "endpointId", order_id AS "orderId", state,
        parked_reason AS "parkedReason", attempts, false AS "inHand"`;
    for (const row of rows) await auditDelivery(tx, now, command, 'delivery.redeliver', row);
    return { result: 'done', deliveries: rows.map(({ id }) => id) };
  });
}

export type RedeliverParkedOutcome =
  | { readonly result: 'done'; readonly deliveries: number }
  | { readonly result: 'unknown_endpoint' }
  | EndpointDisabled;

/**
 * Sends all deliveries that were parked because the endpoint was disabled or every attempt failed.
 * A merchant's system missed them while it was down. Rejected deliveries stay parked.
 * @throws AppError `database_unavailable`
 */
export async function redeliverParked(
  deps: DatabaseDeps,
  command: Operator & { readonly endpoint: bigint },
): Promise<RedeliverParkedOutcome> {
  return inTransaction(deps, async (tx): Promise<RedeliverParkedOutcome> => {
    const now = deps.clock();
    const endpoint = await lockEndpoint(tx, command.endpoint);
    if (endpoint === null) return { result: 'unknown_endpoint' };
    if (endpoint.disabledAt !== null) return { result: 'endpoint_disabled' };
    const deliveries = await tx.$executeRaw`
      UPDATE deliveries SET ${asNew(now)} WHERE endpoint_id = ${endpoint.id} AND state = 'parked'
        AND parked_reason IN ('endpoint_disabled', 'exhausted')
        AND NOT ${isLeased(now)}`;
    const { merchant, name } = endpoint;
    await writeAudit(tx, now, command, {
      action: 'delivery.redeliver',
      endpointId: endpoint.id,
      detail: { merchant, name, deliveries },
    });
    return { result: 'done', deliveries };
  });
}
