import type { DatabaseDeps } from './deps.js';
import { inTransaction, type Tx, waitForLocks } from './transaction.js';

/**
 * Less than PostgreSQL's wait before it looks for a deadlock: a preview must not cost a worker its
 * transaction.
 */
const LOCK_WAIT_MS = 500;

/** Carries the result out of the transaction and rolls it back. */
class Seen<T> extends Error {
  constructor(readonly value: T) {
    super('rolled back on purpose');
  }
}

/**
 * Shows the effects of `work`: executes it and rolls it back. It waits half a second for a lock of
 * another transaction, since a person can ask for a preview again.
 * @throws AppError `database_unavailable`, also when a lock takes longer
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
