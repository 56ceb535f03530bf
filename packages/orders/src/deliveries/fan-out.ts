import { Prisma } from '@payonce/prisma/client';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction } from '../database/transaction.js';

/**
 * Creates the deliveries of order events that have none yet, the oldest `limit`. Most order events
 * have them already: applying a notification creates them in the same statement (`write-plans.ts`).
 * The rest come from other writers, or from a time when an endpoint was being changed. The query
 * finds them by state, never by "greater than the last": an ID that was taken earlier may be
 * committed later.
 * @returns the number of order events
 * @throws AppError `database_unavailable`
 */
export async function fanOut(deps: DatabaseDeps, limit: number): Promise<number> {
  return inTransaction(deps, async (tx) => {
    const now = deps.clock();
    // Locks the endpoints: a transaction that disables one waits, and then parks the deliveries
    // made here. If another worker fans out a later event of the order, it is not sent before this
    // one: see `claim.ts`.
    return tx.$executeRaw`
      WITH due AS (
        SELECT id, order_id, merchant, type FROM order_events WHERE fanned_out_at IS NULL
        ORDER BY id LIMIT ${limit} FOR NO KEY UPDATE SKIP LOCKED
      ), subscribed AS (
        SELECT id, merchant, event_types, disabled_at FROM webhook_endpoints
        WHERE merchant IN (SELECT merchant FROM due) AND deleted_at IS NULL
        ORDER BY id FOR SHARE
      ), made AS (${insertDeliveries(now)})
      UPDATE order_events e SET fanned_out_at = ${now} FROM due WHERE e.id = due.id`;
  });
}

/**
 * One delivery per `due` order event and endpoint in `subscribed` of its merchant that wants the
 * type. A delivery for a disabled endpoint is parked at once.
 */
export function insertDeliveries(now: Date): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO deliveries (endpoint_id, order_event_id, order_id, state, parked_reason,
      next_attempt_at, created_at)
    SELECT subscribed.id, due.id, due.order_id,
      CASE WHEN subscribed.disabled_at IS NULL THEN 'pending' ELSE 'parked' END,
      CASE WHEN subscribed.disabled_at IS NULL THEN NULL ELSE 'endpoint_disabled' END,
      ${now}::timestamptz, ${now}::timestamptz
    FROM due JOIN subscribed ON subscribed.merchant = due.merchant
      AND (subscribed.event_types = '{}' OR due.type = ANY(subscribed.event_types))
    ORDER BY due.id, subscribed.id
    ON CONFLICT (endpoint_id, order_event_id) DO NOTHING`;
}

/**
 * Parks deliveries that wait for a disabled or deleted endpoint. They arise when a notification is
 * applied while failures disable the endpoint. They would never go out, and must be visible.
 * @throws AppError `database_unavailable`
 */
export async function parkOrphans(deps: DatabaseDeps): Promise<void> {
  await inTransaction(
    deps,
    (tx) => tx.$executeRaw`
      UPDATE deliveries d SET state = 'parked', parked_reason =
        CASE WHEN e.deleted_at IS NULL THEN 'endpoint_disabled' ELSE 'endpoint_deleted' END
      FROM (
        SELECT id, deleted_at FROM webhook_endpoints
        WHERE disabled_at IS NOT NULL OR deleted_at IS NOT NULL ORDER BY id FOR SHARE
      ) AS e WHERE d.endpoint_id = e.id AND d.state = 'pending'`,
  );
}
