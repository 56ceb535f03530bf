import type { GatewayReport, ReportedCopies, ReportedMinute } from '@payonce/core/queue/report';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction, type Tx } from '../database/transaction.js';
import { inOrderOfNames } from '../notifications/notification-rows.js';

export interface Recorded {
  /** Acknowledgements counted now. */
  readonly counted: number;
  /**
   * Acknowledgements of notifications that are not stored (yet): send the same report again later.
   */
  readonly unknown: number;
}

/**
 * Counts a gateway's report in one transaction; repetitions are safe. It counts each notification's
 * copies once by row and report, and the rest once per report. So a report may be in both stores. A
 * report with a notification that is not applied yet is simply recorded again later.
 * @throws AppError `database_unavailable`
 */
export function recordReport(deps: DatabaseDeps, report: GatewayReport): Promise<Recorded> {
  return inTransaction(deps, async (tx) => {
    const known = await lockReported(tx, report.copies);
    const counted = await countCopies(tx, report, known);
    if (await insertReport(tx, report, deps.clock())) {
      await addMinutes(tx, report);
      await keepState(tx, report);
    }
    return { counted, unknown: sum(report.copies) - sum(known.map(({ copies }) => copies)) };
  });
}

interface Known {
  readonly rowId: bigint;
  readonly copies: ReportedCopies;
}

/**
 * Locks the reported notifications, in the common order. A gateway names a content by the digest of
 * its release, and so does a row. A row of the previous release lacks the present digest, and
 * unsigned contents beyond a handful have no row. The first content counts both.
 */
async function lockReported(tx: Tx, all: readonly ReportedCopies[]): Promise<Known[]> {
  if (all.length === 0) return [];
  const sorted = inOrderOfNames(all, (one) => ({ ...one, variant: '' }));
  const rows = await tx.$queryRaw<{ rowId: bigint; place: bigint }[]>`
    SELECT n.id AS "rowId", k.place FROM unnest(
      ${sorted.map((one) => one.channel)}::text[], ${sorted.map((one) => one.notificationId)}::text[],
      ${sorted.map((one) => one.digest)}::text[]
    ) WITH ORDINALITY AS k (channel, notification_id, digest, place)
    JOIN notifications n ON n.id = (
      SELECT m.id FROM notifications m
      WHERE m.channel = k.channel AND m.notification_id = k.notification_id
        AND (k.digest IN (m.text_digest, m.digest) OR (m.variant = '' AND (m.text_digest IS NULL OR m.authenticity = 'encrypted')))
      ORDER BY (k.digest IN (m.text_digest, m.digest)) IS TRUE DESC, m.variant <> '', m.id LIMIT 1)
    ORDER BY n.variant <> '', k.place FOR NO KEY UPDATE OF n`;
  const known = new Map<bigint, Known>();
  for (const { rowId, place } of rows) {
    const copies = sorted[Number(place) - 1];
    if (copies) known.set(rowId, { rowId, copies: together(known.get(rowId)?.copies, copies) });
  }
  return [...known.values()];
}

/** Two contents that one row counts. */
function together(one: ReportedCopies | undefined, other: ReportedCopies): ReportedCopies {
  if (one === undefined) return other;
  const [firstAt = other.firstAt] = [one.firstAt, other.firstAt].sort();
  const [lastAt = other.lastAt] = [one.lastAt, other.lastAt].sort().reverse();
  return { ...one, count: one.count + other.count, firstAt, lastAt };
}

/** @returns how many acknowledgements were not counted before */
async function countCopies(
  tx: Tx,
  { reportId, gateway }: GatewayReport,
  known: readonly Known[],
): Promise<number> {
  if (known.length === 0) return 0;
  const rows = await tx.$queryRaw<{ id: bigint; count: number }[]>`
    INSERT INTO notification_copies
      (report_id, notification_row_id, gateway, count, first_at, last_at)
    SELECT ${reportId}::uuid, c.id, ${gateway}::uuid, c.count, c.first_at, c.last_at FROM unnest(
      ${known.map(({ rowId }) => rowId)}::bigint[],
      ${known.map(({ copies }) => copies.count)}::int[],
      ${known.map(({ copies }) => copies.firstAt)}::timestamptz[],
      ${known.map(({ copies }) => copies.lastAt)}::timestamptz[]
    ) AS c (id, count, first_at, last_at)
    ON CONFLICT (notification_row_id, report_id) DO NOTHING
    RETURNING notification_row_id AS id, count`;
  if (rows.length === 0) return 0;
  await tx.$executeRaw`
    UPDATE notifications n SET acknowledged = n.acknowledged + c.count
    FROM unnest(${rows.map(({ id }) => id)}::bigint[], ${rows.map(({ count }) => count)}::int[])
      AS c (id, count) WHERE n.id = c.id`;
  return sum(rows);
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

function sum(counts: readonly { readonly count: number }[]): number {
  return counts.reduce((total, { count }) => total + count, 0);
}
