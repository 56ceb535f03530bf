/** Stops transactions where a test wants them, by a lock from another session. */
import { createHash } from 'node:crypto';
import { holdLocks } from '@payonce/testkit/stores/sessions';
import { onTestFinished, vi } from 'vitest';
import type { TestDatabase } from './database-support.js';

/** Holds a lock in a separate transaction. @returns releases it; its writes are rolled back */
export async function holdLock(deps: TestDatabase, text: string): Promise<() => Promise<void>> {
  const release = await holdLocks(deps.url, text);
  onTestFinished(release);
  return release;
}

/** Waits until so many sessions wait for a lock, or `instead` is done. */
export async function waiting(deps: TestDatabase, count: number, instead?: Promise<unknown>) {
  const done = { instead: false };
  instead?.then(
    () => {
      done.instead = true;
    },
    () => undefined,
  );
  await vi.waitUntil(
    async () => {
      const [row] = await deps.prisma.$queryRaw<{ n: number }[]>`
        SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return done.instead || row?.n === count;
    },
    { timeout: 10_000, interval: 10 },
  );
}

/** Computed as in `number-locks.ts`: anyone who knows this can lock an order's number. */
export function numberLock(number: string): string {
  const text = ['payonce order number', '\0', 'default', '\0', number].join('');
  const hex = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return `SELECT pg_advisory_xact_lock(${BigInt.asIntN(64, BigInt(`0x${hex}`))})`;
}
