/** An operator's actions on one delivery. Each writes its audit row in the same transaction. */
import type { Operator } from '../database/audit.js';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction } from '../database/transaction.js';
import { lockEndpoint } from '../endpoints/rows.js';
import { asNew, auditDelivery, lockDelivery } from './delivery-rows.js';

export interface DeliveryCommand extends Operator {
  readonly delivery: bigint;
}

/** Nothing is sent to it: enable it first. */
export type EndpointDisabled = { readonly result: 'endpoint_disabled' };
type UnknownDelivery = { readonly result: 'unknown_delivery' };

export type RedeliverOutcome =
  | { readonly result: 'done' }
  | UnknownDelivery
  | EndpointDisabled
  | { readonly result: 'endpoint_deleted' }
  /** It is being sent now. */
  | { readonly result: 'in_hand' };

/**
 * Sends a delivery again now, whatever its state; a new round of attempts begins. The merchant's
 * system sees the same message with the same `webhook-id`.
 * @throws AppError `database_unavailable`
 */
export async function redeliverDelivery(
  deps: DatabaseDeps,
  command: DeliveryCommand,
): Promise<RedeliverOutcome> {
  return inTransaction(deps, async (tx): Promise<RedeliverOutcome> => {
    const now = deps.clock();
    const delivery = await tx.delivery.findUnique({
      where: { id: command.delivery },
      select: { endpointId: true },
    });
    if (delivery === null) return { result: 'unknown_delivery' };
    // The endpoint before its deliveries, as on all paths.
    const endpoint = await lockEndpoint(tx, delivery.endpointId);
    if (endpoint === null) return { result: 'endpoint_deleted' };
    if (endpoint.disabledAt !== null) return { result: 'endpoint_disabled' };
    const row = await lockDelivery(tx, now, command.delivery);
    if (row === null) return { result: 'unknown_delivery' };
    if (row.inHand) return { result: 'in_hand' };
    await tx.$executeRaw`UPDATE deliveries SET ${asNew(now)} WHERE id = ${row.id}`;
    await auditDelivery(tx, now, command, 'delivery.redeliver', row);
    return { result: 'done' };
  });
}

export type RejectDeliveryOutcome =
  /** `again`: it was rejected before. */
  | { readonly result: 'done'; readonly again: boolean }
  | UnknownDelivery
  /** Too late. */
  | { readonly result: 'delivered' };

/**
 * Parks a delivery: it is not retried and blocks no other delivery. One that is being sent may
 * still be delivered.
 * @throws AppError `database_unavailable`
 */
export async function rejectDelivery(
  deps: DatabaseDeps,
  command: DeliveryCommand,
): Promise<RejectDeliveryOutcome> {
  return inTransaction(deps, async (tx): Promise<RejectDeliveryOutcome> => {
    const now = deps.clock();
    const row = await lockDelivery(tx, now, command.delivery);
    if (row === null) return { result: 'unknown_delivery' };
    if (row.state === 'delivered') return { result: 'delivered' };
    if (row.parkedReason === 'rejected') return { result: 'done', again: true };
    const data = { state: 'parked', parkedReason: 'rejected' };
    await tx.delivery.updateMany({ where: { id: row.id }, data });
    await auditDelivery(tx, now, command, 'delivery.reject', row);
    return { result: 'done', again: false };
  });
}
