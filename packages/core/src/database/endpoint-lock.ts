import { Prisma } from '@payonce/prisma/client';
import type { Tx } from './transaction.js';

/**
 * One lock for all endpoints, beside those of their rows: a row that is not there yet cannot be locked, and who
 * applies must not wait for whoever sends. The number is payonce's own and says nothing.
 */
const ENDPOINTS = 7_240_118_652_301_947_113n;

/**
 * To be sent with a transaction's settings. Endpoints stay as they are until it ends: whoever makes or changes one
 * waits. If that is just being done, nobody waits, and `ENDPOINTS_KEPT` is false. Statements that begin later see
 * the endpoints as they stay.
 */
export const KEEP_ENDPOINTS = `
  SELECT set_config('payonce.endpoints_kept', pg_try_advisory_xact_lock_shared(${ENDPOINTS})::text, true)`;

export const ENDPOINTS_KEPT = Prisma.sql`current_setting('payonce.endpoints_kept', true) = 'true'`;

/** Before the endpoint's own row, by whoever makes, changes, enables, disables or deletes one. Until the transaction ends. */
export async function lockEndpointsForChange(tx: Tx): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${ENDPOINTS})`;
}
