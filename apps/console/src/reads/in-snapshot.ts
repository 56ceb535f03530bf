import type { Tx } from '@payonce/orders/database/transaction';
import type { PrismaClient } from '@payonce/prisma/client';

/**
 * Reads several tables as of one moment, so that nothing is shown without its consequences. Run one
 * query after the other: the transaction has one connection.
 */
export function inSnapshot<Result>(
  prisma: PrismaClient,
  read: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return prisma.$transaction(read, { isolationLevel: 'RepeatableRead' });
}
