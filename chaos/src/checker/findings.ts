import type { Sending, ToldNotification, ToldOrder } from '../history/history.js';
import { countsAsApplied, type Lookup, orderKey } from './lookup.js';
import { placeOf, statusOf, truthOf } from './oracle.js';
import type { StoredOrder } from './stored.js';

/** The findings, each in a line for a person; empty when all is well. */

/** Acknowledged, but not in the state that the provider's truth demands. Empty when it is. */
export function whyLost(lookup: Lookup, told: ToldNotification): string[] {
  const order = lookup.orders.get(told.orderNumber);
  const rows = lookup.storedOf(told).filter((row) => row.orderNumber === told.orderNumber);
  const place = placeOf(told, order);
  const lost = (found: string) => [
    `lost: ${told.key} (${told.provider} ${told.says.kind} of ${told.orderNumber}) must be ${place}, is ${found}`,
  ];
  const outcomes = rows.map(({ outcome }) => outcome);
  if (outcomes.length === 0) return lost('nowhere');
  if (place !== 'applied' || order === undefined) {
    if (outcomes.includes(place)) return [];
    // An unsigned notice is no longer in doubt when a signed one states the same.
    const confirmed = place === 'unconfirmed' && outcomes.includes('duplicate');
    return confirmed && isToldBySigned(lookup, told) ? [] : lost(outcomes.join(', '));
  }
  if (!countsAsApplied(rows, told)) return lost(outcomes.join(', '));
  const row = lookup.storedOrders.get(orderKey(order));
  if (row === undefined) return lost('in no order');
  return reaches(row, told) || isTrue(lookup, order, row)
    ? []
    : lost(`in an order ${describe(row)}`);
}

/** The order is at least as far as this notification brings it. */
function reaches(row: StoredOrder, { says, provider }: ToldNotification): boolean {
  if (says.kind === 'closed') return row.status !== 'pending';
  if (row.paid === 0n || row.status === 'pending' || row.status === 'closed') return false;
  if (says.kind === 'payment') return true;
  return row.refunded >= (provider === 'alipay' ? says.refundedTotal : says.amount);
}

/** The refund of a second payment does not show in the amounts of the first. */
function isTrue(lookup: Lookup, order: ToldOrder, row: StoredOrder): boolean {
  return truthOf(order, lookup.heard.get(order.number) ?? []).some(
    ({ paid, refunded }) => row.paid === paid && row.refunded === refunded,
  );
}

/**
 * More than one `order.paid`, or amounts that differ from the provider's truth. Empty without
 * either.
 */
export function whyDoubled(lookup: Lookup, order: ToldOrder): string[] {
  const row = lookup.storedOrders.get(orderKey(order));
  if (!order.registered) return row ? [`doubled: ${order.number} was never registered`] : [];
  const truths = truthOf(order, lookup.heard.get(order.number) ?? []);
  const truth = truths.find(
    ({ paid, refunded }) => row?.paid === paid && row.refunded === refunded,
  );
  const must = truths
    .map(({ paid, refunded }) => `${paid} paid, ${refunded} refunded`)
    .join(' or ');
  if (row === undefined || truth === undefined || statusOf(truth) !== row.status) {
    return [`doubled: ${order.number} must be ${must}, is ${describe(row)}`];
  }
  return row.paidEvents === (truth.paid > 0n ? 1 : 0)
    ? []
    : [`doubled: ${order.number} has ${row.paidEvents} order.paid`];
}

/** Acknowledged although no add reached a store during that request. */
export function whyFalse(lookup: Lookup, sending: Sending): string[] {
  const told = lookup.told.get(sending.key);
  if (!sending.acknowledged || told === undefined) return [];
  const adds = lookup.adds.get(told.jobToken) ?? [];
  return adds.some(({ at }) => at >= sending.startedAt && at <= sending.endedAt)
    ? []
    : [`falsely acknowledged: ${sending.key} at ${new Date(sending.startedAt).toISOString()}`];
}

/** A forged notification that was acknowledged, or left a trace that no genuine one explains. */
export function whyAccepted(lookup: Lookup, told: ToldNotification): string[] {
  if (!told.forged) return [];
  const unexplained =
    !lookup.genuineTokens.has(told.jobToken) &&
    (lookup.storedOf(told).length > 0 || lookup.adds.has(told.jobToken));
  return lookup.acknowledged.has(told.key) || unexplained ? [`forged accepted: ${told.key}`] : [];
}

function isToldBySigned(lookup: Lookup, { says, orderNumber }: ToldNotification): boolean {
  if (says.kind !== 'refund') return false;
  return (lookup.heard.get(orderNumber) ?? []).some(
    (other) =>
      other.says.kind === 'refund' &&
      !other.says.unsigned &&
      other.says.refundId === says.refundId &&
      other.says.amount === says.amount,
  );
}

function describe(row: StoredOrder | undefined): string {
  if (row === undefined) return 'not there';
  return `${row.status}, ${row.paid} paid, ${row.refunded} refunded`;
}
