/** SQL of deliveries that operators and the loop share. */
import { Prisma } from '@payonce/prisma/client';
import { type Operator, writeAudit } from '../database/audit.js';
import type { Tx } from '../database/transaction.js';
import { isLeased } from './lease.js';

type ParkedReason = 'exhausted' | 'endpoint_disabled' | 'endpoint_deleted' | 'rejected';

export interface DeliveryRow {
  readonly id: bigint;
  readonly endpointId: bigint;
  readonly orderId: bigint | null;
  readonly state: 'pending' | 'delivered' | 'parked';
  readonly parkedReason: ParkedReason | null;
  readonly attempts: number;
  readonly inHand: boolean;
}

/** Resets a delivery to its state before the first attempt, in a statement over several. */
export function asNew(now: Date): Prisma.Sql {
  return Prisma.sql`state = 'pending', parked_reason = NULL, attempts = 0, next_attempt_at = ${now},
    lease_until = NULL, delivered_at = NULL`;
}

/**
 * Locks until the transaction ends. A transaction that also locks its endpoint locks that first.
 */
export async function lockDelivery(tx: Tx, now: Date, id: bigint): Promise<DeliveryRow | null> {
  const [row] = await tx.$queryRaw<DeliveryRow[]>`
    SELECT id, endpoint_id AS "endpointId", order_id AS "orderId", state,
      parked_reason AS "parkedReason", attempts,
      ${isLeased(now)} AS "inHand"
    FROM deliveries WHERE id = ${id} FOR UPDATE`;
  return row ?? null;
}

export function auditDelivery(
  tx: Tx,
  now: Date,
  operator: Operator,
  action: 'delivery.redeliver' | 'delivery.reject',
  row: DeliveryRow,
): Promise<bigint> {
  const { id, endpointId, orderId, state, parkedReason, attempts } = row;
  return writeAudit(tx, now, operator, {
    action,
    deliveryId: id,
    endpointId,
    orderId,
    detail: { state, parkedReason, attempts },
  });
}
