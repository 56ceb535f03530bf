import type { DatabaseDeps } from './deps.js';
import { inTransaction, type Tx, waitForLocks } from './transaction.js';

/** Less than PostgreSQL's deadlock timeout: a preview must not cost a worker its transaction. */
const LOCK_WAIT_MS = 500;

/** Carries the result out of the transaction and rolls it back. */
class RollbackWithResult<T> extends Error {
  constructor(readonly result: T) {
    super('rolled back on purpose');
  }
}

/**
 * Does `work` in a transaction and rolls it back. Waits for a lock at most half a second, since a
 * preview can be repeated.
 * @throws AppError `database_unavailable`: also when another transaction holds a lock for long
 */
export async function preview<T>(deps: DatabaseDeps, work: (tx: Tx) => Promise<T>): Promise<T> {
  const rolledBack = async (tx: Tx): Promise<never> => {
    throw new RollbackWithResult(await work(tx));
  };
  try {
    return await inTransaction(deps, rolledBack, waitForLocks(LOCK_WAIT_MS));
  } catch (error) {
    if (error instanceof RollbackWithResult) return error.result;
    throw error;
  }
}
