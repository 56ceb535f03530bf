import type { Tx } from '@payonce/orders/database/transaction';
import type { PrismaClient } from '@payonce/prisma/client';

/**
 * A read-only transaction whose statements have five seconds each. A search without a result may
 * have to read everything, and must not go on when nobody waits for it.
 */
export function withStatementTimeout<Result>(
  prisma: PrismaClient,
  read: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return prisma.$transaction(async (tx) => {
    await tx.$executeRawUnsafe("SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '5s'");
    return read(tx);
  });
}
