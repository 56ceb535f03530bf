import { AppError } from '@payonce/core/runtime/errors';
import type { Prisma } from '@payonce/prisma/client';
import type { DatabaseDeps } from './deps.js';
import { failureKind, sqlState } from './failure.js';

export type Tx = Prisma.TransactionClient;

/**
 * No transaction lasts longer: 5 s for a connection and 20 s to finish (Prisma's limits,
 * `client.ts`). Its last statement may take 10 s more.
 */
export const TRANSACTION_LIMIT_MS = 35_000;

/**
 * Two batches can collide repeatedly, but not for long: every path takes its locks in one order.
 */
const CONTENTION_TRIES = 5;

/**
 * Runs `work` in one READ COMMITTED transaction. Each statement sees what was committed before it,
 * so a read after a wait for a lock is current. A deadlock or serialization failure is retried at
 * once.
 * @param first a constant statement that goes along with the settings
 * @throws AppError `database_unavailable` for a failure that a later try may cure; anything else as
 * it is.
 */
export async function inTransaction<T>(
  { prisma, log, outerTx }: Pick<DatabaseDeps, 'prisma' | 'log' | 'outerTx'>,
  work: (tx: Tx) => Promise<T>,
  first = '',
): Promise<T> {
  if (outerTx) return inSavepoint(outerTx, work);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await prisma.$transaction(async (tx) => {
        await tx.$executeRawUnsafe(SETTINGS + first);
        return work(tx);
      });
    } catch (error) {
      const kind = failureKind(error);
      if (kind === 'contention' && attempt < CONTENTION_TRIES) {
        // This should never appear: the order of locks rules out deadlocks.
        log.warn({ attempt, state: sqlState(error) }, 'database.contention');
        continue;
      }
      if (kind === 'permanent') throw error;
      throw new AppError('database_unavailable', { cause: error });
    }
  }
}

/**
 * Settings of this transaction alone, sent in one round trip: without parameters, several
 * statements go as one message.
 * - READ COMMITTED, whatever the database's default is.
 * - Every statement finds its rows by key. For a small table, or one that grew since the last
 *   ANALYZE, the planner would read and hash the whole table per batch: three times the work at
 *   twenty thousand orders.
 * - COMMIT returns when the log is on disk, whatever a role or database prefers: a completed job,
 *   or a response to a person, depends on it. A stricter value (`remote_apply`) stays.
 */
const SETTINGS = `
  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  SET LOCAL enable_seqscan = off;
  SET LOCAL enable_hashjoin = off;
  SET LOCAL enable_mergejoin = off;
  SELECT set_config('synchronous_commit', 'on', true)
    WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write');`;

/**
 * For `first`: the longest wait for any one lock. After it the transaction fails, and `isTooSlow`
 * is true. Without it, the limit of every transaction applies (`prisma/bounded-pool.ts`).
 */
export function waitForLocks(ms: number): string {
  return `SET LOCAL lock_timeout = '${ms}ms';`;
}

/** Behaves as a transaction: a failure leaves nothing behind, and the outer transaction goes on. */
async function inSavepoint<T>(tx: Tx, work: (tx: Tx) => Promise<T>): Promise<T> {
  await tx.$executeRaw`SAVEPOINT inside`;
  try {
    const result = await work(tx);
    await tx.$executeRaw`RELEASE SAVEPOINT inside`;
    return result;
  } catch (error) {
    if (failureKind(error) !== 'permanent')
      throw new AppError('database_unavailable', { cause: error });
    await tx.$executeRaw`ROLLBACK TO SAVEPOINT inside`;
    throw error;
  }
}

/** Whether a later try may cure it. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'database_unavailable';
}

/** 55P03: PostgreSQL ended the wait for a lock. 57014: it ended the statement. */
const TOO_SLOW = new Set(['55P03', '57014']);

/** Whether PostgreSQL responds but ended a statement that waited for a lock or took too long. */
export function isTooSlow(error: unknown): boolean {
  return isUnavailable(error) && TOO_SLOW.has(sqlState((error as AppError).cause) ?? '');
}
