import { Prisma } from '@payonce/prisma/client';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction } from '../database/transaction.js';

const DAY_MS = 86_400_000;
/** Rows in one step: milliseconds, so that nobody waits for them. */
const STEP = 1_000;
/** A report's twin comes minutes later at most, or when a store is back that was away. */
const REPORT_DAYS = 7;
/** What the charts show, and a quarter to look back at. */
const MINUTE_DAYS = 90;
/** A gateway that has not been heard of for so long was replaced. */
const GATEWAY_DAYS = 7;

/**
 * Removes reports' IDs, minutes and gateways that nobody asks for any more, a bounded step of each.
 * @returns whether there may be more
 * @throws AppError `database_unavailable`
 */
export async function purgeReports(deps: DatabaseDeps): Promise<boolean> {
  const before = (days: number) => new Date(deps.clock().getTime() - days * DAY_MS);
  const steps = [
    Prisma.sql`DELETE FROM gateway_reports WHERE id IN (
      SELECT id FROM gateway_reports WHERE created_at < ${before(REPORT_DAYS)}
      LIMIT ${STEP} FOR UPDATE SKIP LOCKED)`,
    Prisma.sql`DELETE FROM gateway_minutes WHERE (minute, gateway) IN (
      SELECT minute, gateway FROM gateway_minutes WHERE minute < ${before(MINUTE_DAYS)}
      LIMIT ${STEP} FOR UPDATE SKIP LOCKED)`,
    Prisma.sql`DELETE FROM gateways WHERE id IN (
      SELECT id FROM gateways WHERE seen_at < ${before(GATEWAY_DAYS)}
      LIMIT ${STEP} FOR UPDATE SKIP LOCKED)`,
  ];
  let more = false;
  for (const step of steps) {
    if ((await inTransaction(deps, (tx) => tx.$executeRaw(step))) === STEP) more = true;
  }
  return more;
}
