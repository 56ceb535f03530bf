import type { DatabaseDeps } from './deps.js';
import { inTransaction, type Tx, waitForLocks } from './transaction.js';

/**
 * Less than PostgreSQL takes to call a wait a deadlock: a look must not cost a worker its
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
 * What `work` would do: it is done, and rolled back. It waits half a second for a lock that another
 * transaction holds: a look can be asked for again.
 * @throws AppError `database_unavailable`: also when something else has locked it for long
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
