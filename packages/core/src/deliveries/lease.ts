import { Prisma } from '@payonce/prisma/client';
import { WRONG_CLOCK_MS } from '../clock.js';
import { ATTEMPT_LIMIT_MS } from './retry.js';

/** The whole try, and time to record it; after a crash another worker waits as long. */
export const LEASE_MS = ATTEMPT_LIMIT_MS + 15_000;

/**
 * Whether somebody has a delivery in hand. A lease that ends later than any lease can was written by a process
 * whose clock was wrong: it is over, or nobody would try that delivery, and its order's later ones, until then.
 * @param alias of `deliveries` in the statement
 */
export function isLeased(now: Date, alias?: 'b' | 'c' | 'd'): Prisma.Sql {
  const until = Prisma.raw(`${alias === undefined ? '' : `${alias}.`}lease_until`);
  const latest = new Date(now.getTime() + LEASE_MS + WRONG_CLOCK_MS);
  // Never null, so that `NOT` of it holds for a delivery that was never taken in hand.
  return Prisma.sql`(${until} IS NOT NULL AND ${until} > ${now} AND ${until} <= ${latest})`;
}
