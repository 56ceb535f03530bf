import type { Tx } from '../database/transaction.js';
import type { KnownOrder } from '../orders/plan.js';
import type { Standing } from './contents.js';
import { type PendingEvent, type Settled, settleEvents } from './settle.js';

/** An event to be decided, and what other contents under its notification ID mean for it. */
export interface Asked extends PendingEvent {
  readonly standing: Standing;
}

/** Whether an order can matter for it: an equal of a `duplicate` was applied. */
export function isOpen({ standing }: Asked): boolean {
  return standing !== 'duplicate';
}

/**
 * Decides events. An event whose equal was applied is a duplicate at once: no order is locked.
 * Nothing that became true later (another owner of the trade, other terms) can make it a held
 * event.
 * @param orders of the open ones, locked by this transaction
 */
export async function settleStanding(
  tx: Tx,
  now: Date,
  events: readonly Asked[],
  orders: ReadonlyMap<string, KnownOrder>,
): Promise<Settled> {
  const open = events.filter(isOpen);
  const { outcomes, plans } = await settleEvents(tx, now, open, orders);
  if (open.length === events.length) return { outcomes, plans };
  const settled = new Map(open.map((one, index) => [one, outcomes[index]]));
  return {
    outcomes: events.map((one) => settled.get(one) ?? { outcome: 'duplicate' }),
    plans,
  };
}
