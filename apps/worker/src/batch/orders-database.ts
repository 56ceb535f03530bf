import type { DatabaseWatch } from '@payonce/orders/database/database-watch';
import type { ApplyDeps } from '@payonce/orders/notifications/apply/apply';
import { applyAll, applyAllInTurn } from '@payonce/orders/notifications/apply/apply-in-parts';
import { recordDeadLetter } from '@payonce/orders/notifications/dead-letters/dead-letters';
import type { DeadLetterInput } from '@payonce/orders/notifications/records/dead-letter';
import type {
  ApplyOutcome,
  VerifiedNotification,
} from '@payonce/orders/notifications/records/notification';

/** The database functions of the worker. */
export interface OrdersDatabase {
  /**
   * One result per notification, in their order; AppError `locked` for a locked one. @throws for
   * all
   */
  apply(
    batch: readonly VerifiedNotification[],
  ): Promise<readonly PromiseSettledResult<ApplyOutcome>[]>;
  /**
   * The same for notifications of the same orders, which other transactions had locked: waits for
   * its turn. Without it, `apply` is used.
   */
  applyInTurn?(
    batch: readonly VerifiedNotification[],
  ): Promise<readonly PromiseSettledResult<ApplyOutcome>[]>;
  /** Resolves when the dead letter is committed. */
  deadLetter(letter: DeadLetterInput): Promise<void>;
}

/** Applies only while the database is fit. */
export function ordersDatabase(deps: ApplyDeps, watch: DatabaseWatch): OrdersDatabase {
  /** Checks again afterwards: a connection opened meanwhile may have led to another server. */
  const assured = async <Result>(work: () => Promise<Result>) => {
    await watch.assure();
    const result = await work();
    await watch.assure();
    return result;
  };
  return {
    apply: (batch) => assured(() => applyAll(deps, batch)),
    applyInTurn: (batch) => assured(() => applyAllInTurn(deps, batch)),
    deadLetter: (letter) => assured(() => recordDeadLetter(deps, letter)),
  };
}
