import type { DatabaseDeps } from './deps.js';
import { inTransaction, type Tx } from './transaction.js';

/** Carries what was seen out of the transaction, and rolls it back. */
class Seen<T> extends Error {
  constructor(readonly value: T) {
    super('rolled back on purpose');
  }
}

/**
 * What `work` would do: it is done, and rolled back. What is locked by others is waited for half a second at
 * most, less than PostgreSQL takes to call it a deadlock: a look can be asked for again, and must not cost a
 * worker its transaction.
 * @throws AppError `database_unavailable`: also when something else has locked it for long
 */
export async function rolledBack<T>(deps: DatabaseDeps, work: (tx: Tx) => Promise<T>): Promise<T> {
  try {
    return await inTransaction(deps, async (tx): Promise<never> => {
      await tx.$executeRaw`SET LOCAL lock_timeout = '500ms'`;
      throw new Seen(await work(tx));
    });
  } catch (error) {
    if (error instanceof Seen) return error.value;
    throw error;
  }
}
