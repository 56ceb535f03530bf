import type { DatabaseWatch } from '@payonce/orders/database/database-watch';
import type { ApplyDeps } from '@payonce/orders/notifications/apply/apply';
import { applyAll, applyAllInTurn } from '@payonce/orders/notifications/apply/apply-in-parts';
import { recordDeadLetter } from '@payonce/orders/notifications/dead-letters/dead-letters';
import type { OrdersDatabase } from '../notification-worker.js';

/** The database functions that the worker needs. */
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
