import type { Tx } from '../../database/transaction.js';
import { insertEvents, updateEvents } from '../records/event-rows.js';
import { updateNotifications } from '../records/notification-rows.js';
import { isChanged, isStored } from '../records/resolved-event.js';
import { enqueueHeldEvents } from './enqueue-held-events.js';
import type { Resolved } from './resolve-events.js';
import { writePlans } from './write-plans.js';

export interface WriteOptions {
  /** Copies to count by notification row. The status of each of these rows is derived again. */
  readonly copies: ReadonlyMap<bigint, number>;
  /** The schedule resolved the events, so the schedule of each advances one step. */
  readonly scheduled: boolean;
}

/**
 * Writes resolved events: first the plans together with the events that are new, then the outcomes
 * of those that were stored. A stored event that stays held for the same reason keeps its place in
 * the schedule, except when the schedule resolved it.
 * @returns how many deliveries were created
 */
export async function writeResolved(
  tx: Tx,
  now: Date,
  { events, plans }: Resolved,
  { copies, scheduled }: WriteOptions,
): Promise<number> {
  const added = events.filter((event) => event.stored === null);
  const deliveries = await writePlans(tx, now, plans, insertEvents(now, added));
  const stored = events.filter(isStored);
  await updateEvents(
    tx,
    now,
    stored.filter((event) => scheduled || isChanged(event)),
    scheduled,
  );
  await enqueueHeldEvents(tx, now, events);
  await updateNotifications(tx, now, copies);
  return deliveries;
}
