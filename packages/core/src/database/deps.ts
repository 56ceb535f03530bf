import type { PrismaClient } from '@payonce/prisma/client';
import type { Clock } from '../clock.js';
import type { Log } from '../log.js';

/** What everything that touches the database is given. */
export interface DatabaseDeps {
  readonly prisma: PrismaClient;
  readonly clock: Clock;
  readonly log?: Log;
}
