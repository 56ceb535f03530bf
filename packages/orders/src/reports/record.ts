import type { GatewayReport, ReportedMinute } from '@payonce/core/queue/report';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction, type Tx } from '../database/transaction.js';
import { insertCopies } from './copy-rows.js';

/**
 * Counts a gateway's report in one transaction, once: a report may be in both stores. Writes the
 * reports' own tables only, so it waits for no notification and holds up none.
 * @returns false for a report that was counted before
 * @throws AppError `database_unavailable`
 */
export function recordReport(deps: DatabaseDeps, report: GatewayReport): Promise<boolean> {
  return inTransaction(deps, async (tx) => {
    if (!(await insertReport(tx, report, deps.clock()))) return false;
    await insertCopies(tx, report);
    await addMinutes(tx, report);
    await keepState(tx, report);
    return true;
  });
}

async function insertReport(tx: Tx, { reportId }: GatewayReport, now: Date): Promise<boolean> {
  const inserted = await tx.$executeRaw`
    INSERT INTO gateway_reports (id, created_at) VALUES (${reportId}::uuid, ${now})
    ON CONFLICT (id) DO NOTHING`;
  return inserted > 0;
}

async function addMinutes(tx: Tx, { gateway, minutes }: GatewayReport): Promise<void> {
  // One statement each, oldest first: there is usually one, rarely two, and sixty after an outage.
  const sorted = [...minutes].sort((a, b) => (a.minute < b.minute ? -1 : 1));
  for (const one of sorted) await addMinute(tx, gateway, one);
}

async function addMinute(tx: Tx, gateway: string, one: ReportedMinute): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO gateway_minutes AS m
      (minute, gateway, received, refused, acknowledged, unavailable, reply_buckets)
    VALUES (${new Date(one.minute)}, ${gateway}::uuid, ${one.received}, ${one.refused},
      ${one.acknowledged}, ${one.unavailable}, ${one.replyBuckets}::int[])
    ON CONFLICT (minute, gateway) DO UPDATE SET received = m.received + excluded.received,
      refused = m.refused + excluded.refused, acknowledged = m.acknowledged + excluded.acknowledged,
      unavailable = m.unavailable + excluded.unavailable,
      reply_buckets = ARRAY(SELECT coalesce(a, 0) + coalesce(b, 0)
        FROM unnest(m.reply_buckets, excluded.reply_buckets) WITH ORDINALITY AS u (a, b, place)
        ORDER BY place)`;
}

/** Ignores a report that arrives after a newer one. */
async function keepState(tx: Tx, report: GatewayReport): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO gateways AS g (id, started_at, seen_at, state)
    VALUES (${report.gateway}::uuid, ${new Date(report.startedAt)}, ${new Date(report.at)},
      ${JSON.stringify(report.state)}::jsonb)
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, state = excluded.state
    WHERE g.seen_at < excluded.seen_at`;
}
