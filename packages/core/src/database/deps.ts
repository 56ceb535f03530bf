import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import type { Clock } from '../clock.js';
import type { Log } from '../log.js';

/** The dependencies of all code that uses the database. */
export interface DatabaseDeps {
  readonly prisma: PrismaClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Everything runs inside this transaction. A dry run passes one and rolls it back. */
  readonly within?: Prisma.TransactionClient;
}
