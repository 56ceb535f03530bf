/** Locks the orders of pending events. */
import type { Tx } from '../../database/transaction.js';
import { type LockedOrders, lockOrders, tryLockOrders } from '../../orders/lock-orders.js';
import { type OrderKey, orderKey } from '../../orders/order.js';
import type { PendingEvent } from '../records/resolved-event.js';
import { needsOrder } from './decide.js';

/** Waits for the locks. */
export function lockOrdersOf(tx: Tx, events: readonly PendingEvent[]): Promise<LockedOrders> {
  return lockOrders(tx, orderKeysOf(events));
}

export interface TriedOrdersOf {
  readonly orders: LockedOrders;
  /** Rows of notifications with an order that another transaction has locked. */
  readonly lockedElsewhere: ReadonlySet<bigint>;
}

/** Waits for no lock. */
export async function tryLockOrdersOf(
  tx: Tx,
  events: readonly PendingEvent[],
): Promise<TriedOrdersOf> {
  const { orders, lockedElsewhere } = await tryLockOrders(tx, orderKeysOf(events));
  if (lockedElsewhere.size === 0) return { orders, lockedElsewhere: new Set() };
  const isLocked = (event: PendingEvent) =>
    orderKeysOf([event]).some((key) => lockedElsewhere.has(orderKey(key)));
  const rows = events.filter(isLocked).map((event) => event.notificationRowId);
  return { orders, lockedElsewhere: new Set(rows) };
}

function orderKeysOf(events: readonly PendingEvent[]): OrderKey[] {
  const keys = new Map<string, OrderKey>();
  for (const { merchant, event, fixed } of events) {
    if (fixed !== null || !needsOrder(event)) continue;
    const key = { merchant, number: event.orderNumber };
    keys.set(orderKey(key), key);
  }
  return [...keys.values()];
}
