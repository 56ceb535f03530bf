import { WRONG_CLOCK_MS } from '@payonce/core/runtime/clock';
import { Prisma } from '@payonce/prisma/client';
import { ATTEMPT_LIMIT_MS } from './retry.js';

/** The limit of one attempt, plus time to record it. After a crash another worker waits as long. */
export const LEASE_MS = ATTEMPT_LIMIT_MS + 15_000;

/**
 * Whether a worker holds a delivery. A process with a wrong clock wrote any lease that ends later
 * than a lease can. Such a lease counts as over; otherwise the delivery and its order's later ones
 * would wait for that time.
 * @param alias of `deliveries` in the statement
 */
export function isLeased(now: Date, alias?: 'b' | 'c' | 'd'): Prisma.Sql {
  const until = Prisma.raw(`${alias === undefined ? '' : `${alias}.`}lease_until`);
  const latest = new Date(now.getTime() + LEASE_MS + WRONG_CLOCK_MS);
  // Never null, so that `NOT` of it holds for a delivery that was never claimed.
  return Prisma.sql`(${until} IS NOT NULL AND ${until} > ${now} AND ${until} <= ${latest})`;
}
