import { Prisma } from '@payonce/prisma/client';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction } from '../database/transaction.js';
import { deleteUnstored } from './copy-rows.js';

const DAY_MS = 86_400_000;
/** Rows in one step. A report has up to 2,000 notifications to look up. */
const STEP = 100;
/**
 * A report's second copy comes minutes later at most, or when a store that was down returns. By
 * then its notifications are stored, or they never will be.
 */
const REPORT_DAYS = 7;
/** The range of the charts, and a quarter for retrospection. */
const MINUTE_DAYS = 90;
/** A gateway that was silent for so long has been replaced. */
const GATEWAY_DAYS = 7;

/**
 * Removes expired report IDs, minutes and gateways, one bounded step of each. Reported copies stay
 * until retention takes those of their notification; without a notification they leave with the ID.
 * @returns whether there may be more
 * @throws AppError `database_unavailable`
 */
export async function purgeReports(deps: DatabaseDeps): Promise<boolean> {
  const before = (days: number) => new Date(deps.clock().getTime() - days * DAY_MS);
  const steps = [
    Prisma.sql`WITH old AS (
        SELECT id FROM gateway_reports WHERE created_at < ${before(REPORT_DAYS)}
        LIMIT ${STEP} FOR UPDATE SKIP LOCKED),
      unstored AS (${deleteUnstored(Prisma.sql`SELECT id FROM old`)})
      DELETE FROM gateway_reports WHERE id IN (SELECT id FROM old)`,
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
