import type { DatabaseDeps } from './deps.js';
import { inTransaction, type Tx } from './transaction.js';

/** Carries the result out of the transaction and rolls it back. */
class Seen<T> extends Error {
  constructor(readonly value: T) {
    super('rolled back on purpose');
  }
}

/**
 * A dry run: does `work` and rolls it back. Waits for a lock at most half a second, which is less
 * than PostgreSQL's deadlock timeout. A dry run can be repeated, and must not cost a worker its
 * transaction.
 * @throws AppError `database_unavailable`: also when another transaction holds a lock for long
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
