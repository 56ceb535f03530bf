/** SQL of the times when PostgreSQL went back in time. */
import type { PrismaClient } from '@payonce/prisma/client';
import type { DatabaseDeps } from './deps.js';
import { inTransaction } from './transaction.js';

/**
 * Records that the database went back, so that versions of orders go on above all that were given,
 * and workers put completed jobs back. Several processes find it: one row is enough. A floor above
 * the one that this process knows is the row of another one.
 *
 * The floor is the number of seconds since 2026. No order changes once a second, so it is above
 * every version since an earlier floor.
 * @param knownFloor the greatest floor before the database went back
 * @returns the floor
 * @throws AppError `database_unavailable`
 */
export async function recordRewind(
  deps: Pick<DatabaseDeps, 'prisma' | 'log'>,
  reason: string,
  knownFloor: number,
): Promise<number> {
  await inTransaction(
    deps,
    (tx) => tx.$executeRaw`
    INSERT INTO rewinds (found_at, reason, version_floor)
    SELECT now(), ${reason}, greatest(
      extract(epoch FROM now() - '2026-01-01T00:00:00Z'::timestamptz)::int, ${knownFloor}::int + 1,
      (SELECT max(version_floor) + 1 FROM rewinds))
    WHERE NOT EXISTS (SELECT FROM rewinds WHERE version_floor > ${knownFloor}::int)`,
  );
  return greatestFloor(deps.prisma);
}

/** 0 if the database never went back. */
export async function greatestFloor(prisma: PrismaClient): Promise<number> {
  const { _max } = await prisma.rewind.aggregate({ _max: { versionFloor: true } });
  return _max.versionFloor ?? 0;
}

export interface OpenRewind {
  readonly id: bigint;
  readonly reason: string;
  readonly foundAt: Date;
}

/** Those whose completed jobs no worker has put back yet. */
export function findOpenRewinds(prisma: PrismaClient): Promise<OpenRewind[]> {
  return prisma.rewind.findMany({
    where: { replayedAt: null },
    select: { id: true, reason: true, foundAt: true },
    orderBy: { id: 'asc' },
  });
}

export interface LatestRewind {
  readonly foundAt: Date;
  readonly reason: string;
  /** Null while workers still put completed jobs back. */
  readonly replayedJobs: number | null;
}

/** @returns null if none was found since then */
export function latestRewind(
  prisma: Pick<PrismaClient, 'rewind'>,
  since: Date,
): Promise<LatestRewind | null> {
  return prisma.rewind.findFirst({
    where: { foundAt: { gte: since } },
    select: { foundAt: true, reason: true, replayedJobs: true },
    orderBy: { versionFloor: 'desc' },
  });
}

export function countRewinds(prisma: PrismaClient): Promise<number> {
  return prisma.rewind.count();
}

/**
 * @param replayedJobs how many were put back
 * @throws AppError `database_unavailable`
 */
export async function closeRewind(
  deps: DatabaseDeps,
  id: bigint,
  replayedJobs: number,
): Promise<void> {
  const data = { replayedAt: deps.clock(), replayedJobs };
  // The database may have gone back again, and forgotten it.
  await inTransaction(deps, (tx) => tx.rewind.updateMany({ where: { id }, data }));
}
