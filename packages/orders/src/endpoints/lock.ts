import { Prisma } from '@payonce/prisma/client';
import type { Tx } from '../database/transaction.js';

/**
 * One lock for all endpoints, in addition to the locks of their rows. A missing row cannot be
 * locked, and applying must not wait for a sender that has locked an endpoint's row. The number has
 * no meaning.
 */
const ENDPOINTS = 7_240_118_652_301_947_113n;

/**
 * Goes along with a transaction's settings. Takes the lock in shared mode: endpoints do not change
 * until the transaction ends, and a change waits. While a change is under way, the lock is not
 * taken, nothing waits, and `HAS_ENDPOINT_LOCK` is false. Later statements see the endpoints
 * unchanged.
 */
export const TRY_SHARED_ENDPOINT_LOCK = `
  SELECT set_config('payonce.endpoints_kept', pg_try_advisory_xact_lock_shared(${ENDPOINTS})::text, true)`;

export const HAS_ENDPOINT_LOCK = Prisma.sql`current_setting('payonce.endpoints_kept', true) = 'true'`;

/**
 * Takes the lock exclusively until the transaction ends. Every transaction that creates, changes,
 * enables, disables or deletes an endpoint calls it before it locks the endpoint's row.
 */
export async function lockEndpointsForChange(tx: Tx): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${ENDPOINTS})`;
}
