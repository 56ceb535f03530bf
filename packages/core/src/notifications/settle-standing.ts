import type { Tx } from '../database/transaction.js';
import type { Standing } from './contents.js';
import { type PendingEvent, type Settled, settleEvents } from './settle.js';

/** An event to be settled, and what other contents under its notification ID mean for it. */
export interface Asked extends PendingEvent {
  readonly standing: Standing;
}

/**
 * Settles events. One whose equal was applied is a duplicate at once: no order is touched, and nothing
 * that became true later (another owner of the trade, other terms) makes a held event of it.
 */
export async function settleStanding(
  tx: Tx,
  now: Date,
  events: readonly Asked[],
): Promise<Settled> {
  const open = events.filter(({ standing }) => standing !== 'duplicate');
  const { outcomes, plans } = await settleEvents(tx, now, open);
  const settled = new Map(open.map((one, index) => [one, outcomes[index]]));
  return {
    outcomes: events.map((one) => settled.get(one) ?? { outcome: 'duplicate' }),
    plans,
  };
}
