/** SQL of contents that gateways acknowledged and that are not stored. */
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { recordset } from '../database/recordset.js';

/** A content that a gateway reported as acknowledged. */
export interface AcknowledgedContent {
  readonly channel: string;
  readonly notificationId: string;
  readonly digest: string;
  readonly lastAt: Date;
}

/** How many reported contents back a process that has just started begins to look. */
const BACK = 10_000n;

/**
 * @param after the place so far; null at first. Beyond the last row, the database went back to an
 * earlier state, and the look begins again.
 */
export async function placeToLook(prisma: PrismaClient, after: bigint | null): Promise<bigint> {
  const { _max } = await prisma.reportedCopies.aggregate({ _max: { id: true } });
  const last = _max.id ?? 0n;
  if (after !== null && after <= last) return after;
  return last > BACK ? last - BACK : 0n;
}

/**
 * The next reported contents, in the order of their rows.
 * @param after the last row of the step before
 */
export function nextAcknowledged(
  prisma: PrismaClient,
  after: bigint,
  limit: number,
): Promise<(AcknowledgedContent & { readonly id: bigint })[]> {
  return prisma.reportedCopies.findMany({
    where: { id: { gt: after } },
    select: { id: true, channel: true, notificationId: true, digest: true, lastAt: true },
    orderBy: { id: 'asc' },
    take: limit,
  });
}

/** Those without a notification: no content is stored under their ID. */
export async function withoutNotification<Content extends AcknowledgedContent>(
  prisma: PrismaClient,
  contents: readonly Content[],
): Promise<Content[]> {
  if (contents.length === 0) return [];
  const rows = await prisma.$queryRaw<{ position: number }[]>`
    SELECT k.position FROM ${asTable(contents)} AS k WHERE NOT EXISTS (
      SELECT FROM notifications n
      WHERE n.channel = k.channel AND n.notification_id = k.notification_id)`;
  return rows.flatMap(({ position }) => contents[position] ?? []);
}

function asTable(contents: readonly AcknowledgedContent[]): Prisma.Sql {
  const rows = contents.map(({ channel, notificationId }, position) => {
    return { position, channel, notification_id: notificationId };
  });
  return recordset(rows, { position: 'int', channel: 'text', notification_id: 'text' });
}

/**
 * Whether a dead letter holds this job's own bytes. A job that proves nothing is somebody else's:
 * it only had the ID.
 */
export async function isBuried(prisma: PrismaClient, jobId: string): Promise<boolean> {
  const letter = await prisma.deadLetter.findFirst({
    where: {
      jobId,
      reason: { notIn: ['verification_failed', 'identity_mismatch', 'malformed_job'] },
    },
    select: { id: true },
  });
  return letter !== null;
}
