import type { OrderTerms } from '@payonce/testkit/oracle/oracle';
import type { Delay, WorkloadNotification } from '../history/history.js';
import { type Lookup, orderKey } from './lookup.js';
import type { StoredEvent } from './stored.js';

/** The findings in the rows themselves, each in a line for a person. */

/** @param notifications genuine @param delays of the same window */
export function judgeStored(
  lookup: Lookup,
  notifications: readonly WorkloadNotification[],
  orders: readonly OrderTerms[],
  delays: readonly Delay[],
) {
  const rows = notifications.flatMap((one) => whySeveral(lookup, one));
  const conflicts = notifications.flatMap((one) => whyHeldAs(lookup, one, 'id_conflict'));
  const dead = notifications.flatMap((one) => whyDead(lookup, one));
  const foreign = notifications.flatMap((one) => whyHeldAs(lookup, one, 'trade_on_other_order'));
  const dropped = notifications.flatMap((one) => whyDropped(lookup, one));
  const heldUp = whyDelayed(delays, 'held_up');
  const late = whyDelayed(delays, 'began_late');
  const twice = [
    ...orders.flatMap((order) => whyOrderEventTwice(order.number, eventsOf(lookup, order))),
    ...notifications.flatMap((one) => whyNotificationEventTwice(lookup, one)),
  ];
  const stuck = orders.flatMap((order) => whyStuck(lookup, order));
  return {
    verdict: {
      rowsPerContent: rows.length,
      conflicts: conflicts.length,
      deadLetters: dead.length,
      foreignTradeBlocked: foreign.length,
      evidenceDropped: dropped.length,
      heldUp: heldUp.length,
      beganLate: late.length,
      orderEventsTwice: twice.length,
      deliveriesStuck: stuck.length,
    },
    findings: [...[rows, conflicts, dead, foreign, dropped, heldUp, late, twice, stuck].flat()],
  };
}

/** One notification has one row, however its copies were cut, wrapped or ordered. */
function whySeveral(lookup: Lookup, notification: WorkloadNotification): string[] {
  const rows = [...rowsOf(lookup, notification)];
  return rows.slice(1).map((row) => `several rows: ${notification.key} is also row ${row}`);
}

function whyHeldAs(lookup: Lookup, notification: WorkloadNotification, reason: string): string[] {
  const rows = lookup.storedOf(notification).filter(({ outcome }) => outcome === reason);
  return rows.map(
    ({ row }) => `${reason}: ${notification.key} of ${notification.orderNumber}, row ${row}`,
  );
}

/** A job ID begins with the provider; two providers may use one number. */
function whyDead(lookup: Lookup, notification: WorkloadNotification): string[] {
  const jobs = lookup.deadJobs.get(notification.jobToken) ?? [];
  const own = jobs.filter((jobId) => jobId.startsWith(`${notification.provider}.`));
  return own.map((jobId) => `dead letter: ${notification.key} as ${jobId}`);
}

function whyDropped(lookup: Lookup, notification: WorkloadNotification): string[] {
  const rows = lookup.storedOf(notification).filter(({ raw }) => !raw);
  return rows.map(
    ({ row }) => `evidence dropped: ${notification.key}, row ${row} has no raw bytes`,
  );
}

function whyDelayed(delays: readonly Delay[], kind: Delay['kind']): string[] {
  const words = { held_up: 'held up', began_late: 'began late' }[kind];
  return delays
    .filter((delay) => delay.kind === kind)
    .flatMap(({ keys, at }) =>
      keys.map((key) => `${words}: ${key} still waits at ${new Date(at).toISOString()}`),
    );
}

function eventsOf(lookup: Lookup, order: OrderTerms): readonly StoredEvent[] {
  return lookup.storedEvents.get(orderKey(order)) ?? [];
}

/** Events of the order itself; held notifications may share a name. */
function whyOrderEventTwice(what: string, events: readonly StoredEvent[]): string[] {
  return repeated(events.filter(({ row }) => row === null)).map(
    (name) => `event twice: ${what} ${name}`,
  );
}

/** All events of the rows of one notification together. */
function whyNotificationEventTwice(lookup: Lookup, notification: WorkloadNotification): string[] {
  const events = [...rowsOf(lookup, notification)].flatMap(
    (row) => lookup.eventsOfRow.get(row) ?? [],
  );
  return repeated(events).map((name) => `event twice: ${notification.key} ${name}`);
}

function whyStuck(lookup: Lookup, order: OrderTerms): string[] {
  return eventsOf(lookup, order).flatMap(({ type, milestone, pending }) =>
    Array<string>(pending).fill(`delivery stuck: ${order.number} ${type} ${milestone}`),
  );
}

function rowsOf(lookup: Lookup, notification: WorkloadNotification): ReadonlySet<string> {
  return new Set(lookup.storedOf(notification).map(({ row }) => row));
}

/** The names of events beyond the first of each name. */
function repeated(events: readonly StoredEvent[]): string[] {
  const seen = new Set<string>();
  return events.flatMap(({ type, milestone }) => {
    const name = `${type} ${milestone}`;
    if (seen.has(name)) return [name];
    seen.add(name);
    return [];
  });
}
