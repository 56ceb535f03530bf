import type { Tx } from '@payonce/core/database/transaction';
import type { PrismaClient } from '@payonce/prisma/client';

/**
 * Reads, and cannot write, in one transaction whose statements are given five seconds each: a search that finds nothing may
 * have to look at everything, and must not go on when nobody waits for it any more.
 */
export function withinSeconds<Result>(
  prisma: PrismaClient,
  read: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return prisma.$transaction(async (tx) => {
    await tx.$executeRawUnsafe("SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '5s'");
    return read(tx);
  });
}
