/** SQL of the copies that gateways report. */
import type { GatewayReport } from '@payonce/core/queue/report';
import { Prisma } from '@payonce/prisma/client';
import { recordset } from '../database/recordset.js';
import type { Tx } from '../database/transaction.js';

/** By hand: the client takes tens of milliseconds for a report's rows, and batches wait. */
export async function insertCopies(
  tx: Tx,
  { reportId, gateway, copies }: GatewayReport,
): Promise<void> {
  if (copies.length === 0) return;
  const rows = copies.map(({ channel, notificationId, digest, count, firstAt, lastAt }) => {
    const times = { first_at: firstAt, last_at: lastAt };
    return { channel, notification_id: notificationId, digest, count, ...times };
  });
  const reported = recordset(rows, {
    channel: 'text',
    notification_id: 'text',
    digest: 'text',
    count: 'int',
    first_at: 'timestamptz',
    last_at: 'timestamptz',
  });
  await tx.$executeRaw`
    INSERT INTO reported_copies
      (report_id, gateway, channel, notification_id, digest, count, first_at, last_at)
    SELECT ${reportId}::uuid, ${gateway}::uuid, c.* FROM ${reported} AS c`;
}

/**
 * The reported copies `c` of these notifications `n`. A gateway names a content by the digest of
 * its release, and so does a row. A row of the previous release lacks the present digest, and
 * unsigned contents beyond a handful have no row. The first content counts both.
 */
function copiesOf(ids: readonly bigint[]): Prisma.Sql {
  const rows = Prisma.sql`${[...ids]}::bigint[]`;
  return Prisma.sql`(
      SELECT DISTINCT c.channel, c.notification_id, c.digest FROM notifications n
      JOIN reported_copies c USING (channel, notification_id) WHERE n.id = ANY(${rows})
    ) AS k CROSS JOIN LATERAL (
      SELECT m.id FROM notifications m
      WHERE m.channel = k.channel AND m.notification_id = k.notification_id
        AND (k.digest IN (m.text_digest, m.digest) OR (m.variant = '' AND (m.text_digest IS NULL OR m.authenticity = 'encrypted')))
      ORDER BY (k.digest IN (m.text_digest, m.digest)) IS TRUE DESC, m.variant <> '', m.id LIMIT 1
    ) AS n JOIN reported_copies c USING (channel, notification_id, digest)
    WHERE n.id = ANY(${rows})`;
}

/** What gateways report of one notification. */
interface ReportedTotal {
  readonly id: bigint;
  readonly count: number;
  readonly lastAt: Date;
}

/** By notification row; none for a notification without a report. */
export async function readReportedTotals(
  tx: Pick<Tx, '$queryRaw'>,
  ids: readonly bigint[],
): Promise<ReadonlyMap<bigint, ReportedTotal>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.$queryRaw<ReportedTotal[]>`
    SELECT n.id, sum(c.count)::float8 AS count, max(c.last_at) AS "lastAt"
    FROM ${copiesOf(ids)} GROUP BY n.id`;
  return new Map(rows.map((row) => [row.id, row]));
}

/** Acknowledgements of one notification by one gateway, within about a second. */
export interface ReportedCopiesRow {
  readonly notificationRowId: bigint;
  readonly gateway: string;
  readonly count: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

/** The oldest first, with those that workers of the previous release recorded. */
export async function readReportedCopies(
  tx: Tx,
  ids: readonly bigint[],
  limit: number,
): Promise<ReportedCopiesRow[]> {
  if (ids.length === 0) return [];
  return tx.$queryRaw<ReportedCopiesRow[]>`
    SELECT n.id AS "notificationRowId", c.gateway, c.count, c.first_at AS "firstAt",
      c.last_at AS "lastAt", c.report_id AS report
    FROM ${copiesOf(ids)}
    UNION ALL
    SELECT notification_row_id, gateway, count, first_at, last_at, report_id
    FROM notification_copies WHERE notification_row_id = ANY(${[...ids]}::bigint[])
    ORDER BY "firstAt", report LIMIT ${limit}`;
}

/** Changes with every report about the contents under the ID of notification `n`. */
export const reportedUnderId = Prisma.sql`(SELECT sum(c.count) FROM reported_copies c
  WHERE c.channel = n.channel AND c.notification_id = n.notification_id)`;

/**
 * Removes the reported copies of these locked notifications, with their times.
 * @returns their counts, which stay in `notifications.acknowledged`
 */
export async function takeReportedCopies(
  tx: Tx,
  ids: readonly bigint[],
): Promise<Pick<ReportedTotal, 'id' | 'count'>[]> {
  // Its counts are in that column already.
  await tx.$executeRaw`
    DELETE FROM notification_copies WHERE notification_row_id = ANY(${[...ids]}::bigint[])`;
  return tx.$queryRaw`
    WITH taken AS (SELECT n.id, c.id AS copies, c.count FROM ${copiesOf(ids)}),
      gone AS (DELETE FROM reported_copies WHERE id IN (SELECT copies FROM taken))
    SELECT id, sum(count)::float8 AS count FROM taken GROUP BY id`;
}

/** Removes the copies in these reports whose notification is not stored. */
export function deleteUnstored(reports: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`DELETE FROM reported_copies c WHERE c.report_id IN (${reports})
    AND NOT EXISTS (SELECT FROM notifications n
      WHERE n.channel = c.channel AND n.notification_id = c.notification_id)`;
}
