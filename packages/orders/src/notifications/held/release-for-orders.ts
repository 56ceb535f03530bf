import type { Tx } from '../../database/transaction.js';
import { type OrderKey, orderKey } from '../../orders/order.js';
import { readEvents } from '../records/event-rows.js';
import { retryWaitingAtOnce } from '../records/event-schedule-rows.js';
import { tryLockWaiting } from '../records/notification-locks.js';
import { type HeldEvent, isHeld } from '../records/stored-event.js';
import { isReleased, tryResolveHeldEvents } from './resolve-held-events.js';

/** More held notifications than 500 orders have; the schedule takes the rest. */
const RELEASE_LIMIT = 5_000;

/**
 * Applies events that waited for these orders, in the transaction that registers them. Skips a
 * notification that another transaction has locked, and makes its events due at once: that
 * transaction may look for no order, or for another order of the notification.
 * @returns by `orderKey`, how many events of the order are no longer held; no entry where there are
 * none
 */
export async function releaseForOrders(
  tx: Tx,
  now: Date,
  keys: readonly OrderKey[],
): Promise<ReadonlyMap<string, number>> {
  const registered = new Set(keys.map(orderKey));
  const events = await readEvents(tx, await tryLockWaiting(tx, keys, RELEASE_LIMIT));
  const waiting = events
    .filter(isHeld)
    .filter((held) => held.outcome.reason === 'unknown_order' && registered.has(keyOf(held)));
  const options = { scheduled: false, holdAs: null };
  const { resolved } = await tryResolveHeldEvents(tx, now, waiting, options);
  const counts = new Map<string, number>();
  for (const { stored } of resolved.filter(isReleased)) {
    counts.set(keyOf(stored), (counts.get(keyOf(stored)) ?? 0) + 1);
  }
  await retryWaitingAtOnce(tx, now, keys);
  return counts;
}

function keyOf({ merchant, event }: HeldEvent): string {
  return orderKey({ merchant, number: event.orderNumber ?? '' });
}
