import type { DatabaseDeps } from './deps.js';
import { inTransaction, type Tx, waitForLocks } from './transaction.js';

/** Less than PostgreSQL's deadlock timeout: a dry run must not cost a worker its transaction. */
const LOCK_WAIT_MS = 500;

/** Carries the result out of the transaction and rolls it back. */
class Seen<T> extends Error {
  constructor(readonly value: T) {
    super('rolled back on purpose');
  }
}

/**
 * A dry run: does `work` and rolls it back. Waits for a lock at most half a second, since a dry run
 * can be repeated.
 * @throws AppError `database_unavailable`: also when another transaction holds a lock for long
 */
export async function rolledBack<T>(deps: DatabaseDeps, work: (tx: Tx) => Promise<T>): Promise<T> {
  const look = async (tx: Tx): Promise<never> => {
    throw new Seen(await work(tx));
  };
  try {
    return await inTransaction(deps, look, waitForLocks(LOCK_WAIT_MS));
  } catch (error) {
    if (error instanceof Seen) return error.value;
    throw error;
  }
}
