import { withDeadline } from '@payonce/core/runtime/deadline';

/** A scrape waits a few seconds; a hanging database has no numbers. */
const COUNT_LIMIT_MS = 2_000;

/** A database that does not respond has no numbers. */
export function inTime<T>(asked: Promise<T>): Promise<T | null> {
  return withDeadline(asked, COUNT_LIMIT_MS, 'counting').catch(() => null);
}
