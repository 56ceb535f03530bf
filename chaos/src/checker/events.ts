import type { OrderTerms } from '@payonce/testkit/oracle/oracle';
import { expectedEvents, isJustified } from '@payonce/testkit/oracle/order-events';
import type { Arrival, ArrivedEvent } from '../history/history.js';
import { type EventArrival, type Lookup, orderKey } from './lookup.js';
import type { StoredEvent } from './stored.js';

/** Judges the events of the merchant's system. @param arrivals of the same window, of any order */
export function judgeEvents(
  lookup: Lookup,
  orders: readonly OrderTerms[],
  arrivals: readonly Arrival[],
) {
  const perOrder = orders.map((order) => whyUndelivered(lookup, order));
  const expected = perOrder.reduce((sum, one) => sum + one.expected, 0);
  const lost = perOrder.flatMap((one) => one.lost);
  const unsigned = arrivals.flatMap(whyUnsigned);
  const outOfOrder = orders.flatMap((order) => whyOutOfOrder(lookup, order));
  const untrue = [
    ...orders.flatMap((order) => whyUntrue(lookup, order)),
    ...arrivals.flatMap((arrival) => whyStrange(lookup, arrival)),
  ];
  return {
    verdict: {
      eventsExpected: expected,
      eventsDelivered: expected - lost.length,
      eventsLost: lost.length,
      eventsUnsigned: unsigned.length,
      eventsOutOfOrder: outOfOrder.length,
      eventsFalse: untrue.length,
    },
    findings: [...lost, ...unsigned, ...outOfOrder, ...untrue],
  };
}

/** The expected events of an order, and a line for each missing one. */
function whyUndelivered(lookup: Lookup, order: OrderTerms): { expected: number; lost: string[] } {
  const { events, refundTotals } = expectedEvents(
    order,
    lookup.counted.get(order.number) ?? [],
    lookup.contested,
  );
  const outbox = lookup.storedEvents.get(orderKey(order)) ?? [];
  const wanted = new Map(events.map((one): [string, number] => [nameOf(one), 1]));
  // The events in payonce's outbox. Several held notifications have events of one name.
  for (const [name, count] of countByName(outbox)) wanted.set(name, count);
  const took = countByName(distinct(takenOf(lookup, order)).map(({ event }) => event));
  const lost = [...wanted].flatMap(([name, count]) => {
    const missing = count - (took.get(name) ?? 0);
    return missing > 0 ? Array<string>(missing).fill(`untold: ${order.number} ${name}`) : [];
  });
  const totals = [...wanted.keys()].filter((name) => name.includes('refunded')).length;
  for (let missing = totals; missing < refundTotals; missing += 1) {
    lost.push(`untold: ${order.number} has ${totals} refunded totals of ${refundTotals}`);
  }
  const expected = [...wanted.values()].reduce((sum, count) => sum + count, 0);
  return { expected: expected + Math.max(0, refundTotals - totals), lost };
}

/** Taken with a smaller version than an earlier one, or as paid after its consequences. */
function whyOutOfOrder(lookup: Lookup, order: OrderTerms): string[] {
  let version = 0;
  let later: string | null = null;
  return distinct(takenOf(lookup, order)).flatMap(({ event }) => {
    if (!event.type.startsWith('order.')) return [];
    // What the database forgot comes again, under greater versions.
    if (event.replayed) later = null;
    const early = event.version < version || (event.type === 'order.paid' && later !== null);
    version = Math.max(version, event.version);
    if (event.type.includes('refunded')) later = event.type;
    return early
      ? [
          `out of order: ${order.number} ${nameOf(event)}, version ${event.version} after ${version}`,
        ]
      : [];
  });
}

/** False, sent with two IDs, or sent with two contents for one ID. */
function whyUntrue(lookup: Lookup, order: OrderTerms): string[] {
  const counted = lookup.counted.get(order.number) ?? [];
  const arrivals = lookup.arrivals.get(orderKey(order)) ?? [];
  const bodies = new Map<string, string>();
  const ids = new Map<string, string>();
  return arrivals.flatMap(({ webhookId, event }) => {
    const untrue = (why: string) => [`untrue: ${order.number} ${nameOf(event)}: ${why}`];
    const body = bodies.get(webhookId);
    bodies.set(webhookId, event.body);
    if (body !== undefined) return body === event.body ? [] : untrue('one ID, two contents');
    if (!isJustified(event, order, counted, lookup.contested)) return untrue('nobody said so');
    const id = ids.get(nameOf(event));
    ids.set(nameOf(event), webhookId);
    const isSecond = id !== undefined && event.type.startsWith('order.') && !event.replayed;
    return isSecond ? untrue('two IDs') : [];
  });
}

/** Signed, but no order event, or for an unknown order. */
function whyStrange(lookup: Lookup, { signed, event, webhookId }: Arrival): string[] {
  if (!signed) return [];
  const order = lookup.orders.get(event?.orderNumber ?? '');
  const known = order !== undefined && order.merchant === event?.merchant;
  return known ? [] : [`untrue: ${webhookId}: of no known order`];
}

function whyUnsigned({ signed, webhookId, at }: Arrival): string[] {
  return signed ? [] : [`unsigned: ${webhookId || 'no ID'} at ${new Date(at).toISOString()}`];
}

/** The merchant's system confirmed them. */
function takenOf(lookup: Lookup, order: OrderTerms): readonly EventArrival[] {
  return (lookup.arrivals.get(orderKey(order)) ?? []).filter(
    ({ answer }) => answer !== null && answer >= 200 && answer < 300,
  );
}

/** The first of each ID, in order of arrival. */
function distinct(arrivals: readonly EventArrival[]): readonly EventArrival[] {
  const ids = new Set<string>();
  return arrivals.filter(({ webhookId }) => !ids.has(webhookId) && ids.add(webhookId));
}

function countByName(events: readonly (StoredEvent | ArrivedEvent)[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const one of events) counts.set(nameOf(one), (counts.get(nameOf(one)) ?? 0) + 1);
  return counts;
}

function nameOf({
  type,
  milestone,
}: {
  readonly type: string;
  readonly milestone: string;
}): string {
  return `${type} ${milestone}`;
}
