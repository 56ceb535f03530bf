import { WRONG_CLOCK_MS } from '@payonce/core/runtime/clock';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction } from '../database/transaction.js';
import { attemptAheadMs, type RetrySchedule } from './retry.js';

/** Rows in one statement; the next look takes the rest. */
const STEP = 1_000;

/** No attempt is planned later than this. A process with a wrong clock wrote any later time. */
export function latestAttemptAt(now: Date, scheduleMs: readonly number[] | undefined): Date {
  return new Date(now.getTime() + attemptAheadMs(scheduleMs) + WRONG_CLOCK_MS);
}

/**
 * Makes deliveries due whose time is later than any planned attempt.
 * @throws AppError `database_unavailable`
 */
export async function redateDeliveries(deps: DatabaseDeps & RetrySchedule): Promise<void> {
  const redated = await inTransaction(deps, (tx) => {
    const now = deps.clock();
    return tx.$executeRaw`
      UPDATE deliveries SET next_attempt_at = ${now} WHERE id IN (
        SELECT d.id FROM webhook_endpoints e JOIN deliveries d ON d.endpoint_id = e.id
        WHERE d.state = 'pending' AND d.next_attempt_at > ${latestAttemptAt(now, deps.scheduleMs)}
        ORDER BY d.id LIMIT ${STEP} FOR UPDATE OF d SKIP LOCKED)`;
  });
  deps.log.warn({ deliveries: redated }, 'deliveries.redated');
}
