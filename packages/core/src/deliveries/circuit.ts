import { Prisma } from '@payonce/prisma/client';
import { WRONG_CLOCK_MS } from '../clock.js';
import { OPEN_AHEAD_MS } from './retry.js';

/**
 * Whether an endpoint's circuit is open: nothing is sent. One that would be open for longer than any circuit can
 * was written by a process whose clock was wrong, and is not.
 */
export function isOpen(now: Date): Prisma.Sql {
  const latest = new Date(now.getTime() + OPEN_AHEAD_MS + WRONG_CLOCK_MS);
  return Prisma.sql`(open_until IS NOT NULL AND open_until > ${now} AND open_until <= ${latest})`;
}
