import { WRONG_CLOCK_MS } from '@payonce/core/runtime/clock';
import { Prisma } from '@payonce/prisma/client';
import { OPEN_AHEAD_MS } from './retry.js';

/**
 * Whether an endpoint's circuit is open: nothing is sent. A process with a wrong clock wrote any
 * end that lies further ahead than a circuit can stay open; such a circuit counts as closed.
 */
export function isOpen(now: Date): Prisma.Sql {
  const latest = new Date(now.getTime() + OPEN_AHEAD_MS + WRONG_CLOCK_MS);
  return Prisma.sql`(open_until IS NOT NULL AND open_until > ${now} AND open_until <= ${latest})`;
}
