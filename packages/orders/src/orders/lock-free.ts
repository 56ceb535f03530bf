/** SQL that locks unlocked orders without waiting. */

import { recordset } from '../database/recordset.js';
import type { Tx } from '../database/transaction.js';
import { type OrderKey, tryMissingNumbers } from './order-lock.js';
import type { KnownOrder } from './plan.js';
import { type LockedRow, orderKey, toOrders } from './store.js';

export interface FreeOrders {
  /** By `orderKey`; locked until the transaction ends. */
  readonly orders: ReadonlyMap<string, KnownOrder>;
  /** By `orderKey`: another transaction has the order locked, or its number. */
  readonly busy: ReadonlySet<string>;
}

/**
 * Locks those of these orders that are free; one statement when all are. Otherwise it locks the
 * numbers of the rest against registration and looks for them once more. So an order in neither
 * answer does not exist while this transaction lasts, and a locked order is never taken for a
 * missing one. The order of locks does not matter here: a transaction that waits for no lock is in
 * no deadlock.
 */
export async function lockFreeOrders(tx: Tx, keys: readonly OrderKey[]): Promise<FreeOrders> {
  const distinct = [...new Map(keys.map((key) => [orderKey(key), key])).values()];
  const first = distinct.length === 0 ? [] : (await lockFree(tx, distinct, false)).locked;
  const orders = toOrders(distinct, first);
  const rest = distinct.filter((key) => !orders.has(orderKey(key)));
  if (rest.length === 0) return { orders, busy: new Set() };
  const gotNumber = await tryMissingNumbers(tx, rest);
  const { locked, stored } = await lockFree(tx, rest, true);
  const found = toOrders(rest, locked);
  const busy = rest
    .filter((_, place) => stored.has(place) || !gotNumber[place])
    .map(orderKey)
    .filter((key) => !found.has(key));
  return { orders: new Map([...orders, ...found]), busy: new Set(busy) };
}

/**
 * @returns the orders that are locked now; with `tellsStored` also the places of those that exist
 */
async function lockFree(
  tx: Tx,
  keys: readonly OrderKey[],
  tellsStored: boolean,
): Promise<{ readonly locked: readonly LockedRow[]; readonly stored: ReadonlySet<number> }> {
  const rows = keys.map(({ merchant, number }, place) => ({ place, merchant, number }));
  const [answer] = await tx.$queryRaw<{ locked: LockedRow[] | null; stored: number[] | null }[]>`
    WITH k AS MATERIALIZED (
      SELECT * FROM ${recordset(rows, { place: 'int', merchant: 'text', number: 'text' })} AS k
    ), locked AS MATERIALIZED (
      SELECT k.place, o.id::text, o.amount::text, o.currency, o.version
      FROM orders o JOIN k USING (merchant, number) ORDER BY o.id FOR UPDATE OF o SKIP LOCKED
    ), stored AS MATERIALIZED (
      SELECT k.place FROM k WHERE ${tellsStored} AND EXISTS (
        SELECT FROM orders o WHERE o.merchant = k.merchant AND o.number = k.number)
    )
    SELECT (SELECT json_agg(locked) FROM locked) AS locked,
      (SELECT json_agg(place) FROM stored) AS stored`;
  return { locked: answer?.locked ?? [], stored: new Set(answer?.stored ?? []) };
}
