/** Locks orders until the transaction ends, whether or not they exist. */
import type { Tx } from '../database/transaction.js';
import { lockMissingNumbers, tryLockMissingNumbers } from './number-locks.js';
import { type LockedOrder, type OrderKey, orderKey } from './order.js';
import { type LockedRows, lockRows, tryLockRows } from './order-rows.js';

/** By `orderKey`. An order that is not among them does not exist while the transaction lasts. */
export type LockedOrders = ReadonlyMap<string, LockedOrder>;

/**
 * Waits for the locks. One statement does it when all orders exist. Otherwise that statement locks
 * none. Then the missing numbers are locked against registration (`number-locks.ts`), and all are
 * looked for again.
 */
export async function lockOrders(tx: Tx, keys: readonly OrderKey[]): Promise<LockedOrders> {
  const distinct = distinctKeys(keys);
  if (distinct.length === 0) return new Map();
  const first = await lockRows(tx, distinct, true);
  if (first.missing.length === 0) return toOrders(distinct, first);
  const missing = first.missing.flatMap((index) => distinct[index] ?? []);
  await lockMissingNumbers(tx, missing);
  return toOrders(distinct, await lockRows(tx, distinct, false));
}

export interface TriedOrders {
  readonly orders: LockedOrders;
  /** By `orderKey`: another transaction has the order locked, or its number. */
  readonly lockedElsewhere: ReadonlySet<string>;
}

/**
 * Locks the orders that no other transaction has locked; waits for none. One statement does it when
 * it can lock all. Otherwise it locks the numbers of the rest against registration and looks for
 * them once more. So an order in neither result does not exist while this transaction lasts, and a
 * locked order is never taken for a missing one. The order of locks does not matter here: a
 * transaction that waits for no lock is in no deadlock.
 */
export async function tryLockOrders(tx: Tx, keys: readonly OrderKey[]): Promise<TriedOrders> {
  const distinct = distinctKeys(keys);
  if (distinct.length === 0) return { orders: new Map(), lockedElsewhere: new Set() };
  const orders = toOrders(distinct, await tryLockRows(tx, distinct, false));
  const rest = distinct.filter((key) => !orders.has(orderKey(key)));
  if (rest.length === 0) return { orders, lockedElsewhere: new Set() };
  const hasNumber = await tryLockMissingNumbers(tx, rest);
  const { stored, ...tried } = await tryLockRows(tx, rest, true);
  const found = toOrders(rest, tried);
  const lockedElsewhere = rest
    .filter((_, index) => stored.has(index) || !hasNumber[index])
    .map(orderKey)
    .filter((key) => !found.has(key));
  return { orders: new Map([...orders, ...found]), lockedElsewhere: new Set(lockedElsewhere) };
}

function distinctKeys(keys: readonly OrderKey[]): OrderKey[] {
  return [...new Map(keys.map((key) => [orderKey(key), key])).values()];
}

function toOrders(keys: readonly OrderKey[], { locked, rewind }: LockedRows): LockedOrders {
  return new Map(
    locked.flatMap(({ position, id, amount, ...row }): [string, LockedOrder][] => {
      const key = keys[position];
      if (key === undefined) return [];
      const { merchant, number } = key;
      const { currency, version } = row;
      const terms = { merchant, number, amount: BigInt(amount), currency };
      const createdAt = new Date(row.createdAt);
      return [[orderKey(key), { ...terms, id: BigInt(id), version, createdAt, rewind }]];
    }),
  );
}
