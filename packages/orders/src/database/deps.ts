import type { Clock } from '@payonce/core/runtime/clock';
import type { Log } from '@payonce/core/runtime/log';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';

/** The dependencies of all code that uses the database. */
export interface DatabaseDeps {
  readonly prisma: PrismaClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Everything runs inside this transaction. A preview passes one and rolls it back. */
  readonly outerTx?: Prisma.TransactionClient;
}
