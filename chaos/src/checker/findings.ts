import type { OrderTerms } from '@payonce/testkit/oracle/oracle';
import { expectedOrders, expectedOutcome } from '@payonce/testkit/oracle/oracle';
import type { Sending, WorkloadNotification } from '../history/history.js';
import { countsAsApplied, type Lookup, orderKey } from './lookup.js';
import type { StoredOrder } from './stored.js';

/** The findings, each in a line for a person; empty when all is well. */

/** Acknowledged, but not in the state that the oracle expects. Empty when it is. */
export function whyLost(lookup: Lookup, notification: WorkloadNotification): string[] {
  const order = lookup.orders.get(notification.orderNumber);
  const rows = lookup
    .storedOf(notification)
    .filter((row) => row.orderNumber === notification.orderNumber);
  const expected = expectedOutcome(notification, order);
  const lost = (found: string) => [
    `lost: ${notification.key} (${notification.provider} ${notification.meaning.kind} of ${notification.orderNumber}) must be ${expected}, is ${found}`,
  ];
  const outcomes = rows.map(({ outcome }) => outcome);
  if (outcomes.length === 0) return lost('nowhere');
  if (expected !== 'applied' || order === undefined) {
    if (outcomes.includes(expected)) return [];
    // An unsigned notice is no longer in doubt when a signed one states the same.
    const confirmed = expected === 'unconfirmed' && outcomes.includes('duplicate');
    return confirmed && isConfirmedBySigned(lookup, notification) ? [] : lost(outcomes.join(', '));
  }
  if (!countsAsApplied(rows, notification)) return lost(outcomes.join(', '));
  const row = lookup.storedOrders.get(orderKey(order));
  if (row === undefined) return lost('in no order');
  return reaches(row, notification) || matchesOracle(lookup, order, row)
    ? []
    : lost(`in an order ${describe(row)}`);
}

/** The order is at least as far as this notification brings it. */
function reaches(row: StoredOrder, { meaning, provider }: WorkloadNotification): boolean {
  if (meaning.kind === 'closed') return row.status !== 'pending';
  if (row.paid === 0n || row.status === 'pending' || row.status === 'closed') return false;
  if (meaning.kind === 'payment') return true;
  return row.refunded >= (provider === 'alipay' ? meaning.refundedTotal : meaning.amount);
}

/** The refund of a second payment does not show in the amounts of the first. */
function matchesOracle(lookup: Lookup, order: OrderTerms, row: StoredOrder): boolean {
  return expectedOrders(order, lookup.counted.get(order.number) ?? []).some(
    ({ paid, refunded }) => row.paid === paid && row.refunded === refunded,
  );
}

/** More than one `order.paid`, or amounts that differ from the oracle's. Empty without either. */
export function whyDoubled(lookup: Lookup, order: OrderTerms): string[] {
  const row = lookup.storedOrders.get(orderKey(order));
  if (!order.registered) return row ? [`doubled: ${order.number} was never registered`] : [];
  const allowed = expectedOrders(order, lookup.counted.get(order.number) ?? []);
  const match = allowed.find(
    ({ paid, refunded }) => row?.paid === paid && row.refunded === refunded,
  );
  const must = allowed
    .map(({ paid, refunded }) => `${paid} paid, ${refunded} refunded`)
    .join(' or ');
  if (row === undefined || match === undefined || match.status !== row.status) {
    return [`doubled: ${order.number} must be ${must}, is ${describe(row)}`];
  }
  return row.paidEvents === (match.paid > 0n ? 1 : 0)
    ? []
    : [`doubled: ${order.number} has ${row.paidEvents} order.paid`];
}

/** Acknowledged although no add reached a store during that request. */
export function whyFalse(lookup: Lookup, sending: Sending): string[] {
  const notification = lookup.notifications.get(sending.key);
  if (!sending.acknowledged || notification === undefined) return [];
  const adds = lookup.adds.get(notification.jobToken) ?? [];
  return adds.some(({ at }) => at >= sending.startedAt && at <= sending.endedAt)
    ? []
    : [`falsely acknowledged: ${sending.key} at ${new Date(sending.startedAt).toISOString()}`];
}

/** A forged notification that was acknowledged, or left a trace that no genuine one explains. */
export function whyAccepted(lookup: Lookup, notification: WorkloadNotification): string[] {
  if (!notification.forged) return [];
  const unexplained =
    !lookup.genuineTokens.has(notification.jobToken) &&
    (lookup.storedOf(notification).length > 0 || lookup.adds.has(notification.jobToken));
  return lookup.acknowledged.has(notification.key) || unexplained
    ? [`forged accepted: ${notification.key}`]
    : [];
}

function isConfirmedBySigned(
  lookup: Lookup,
  { meaning, orderNumber }: WorkloadNotification,
): boolean {
  if (meaning.kind !== 'refund') return false;
  return (lookup.counted.get(orderNumber) ?? []).some(
    (other) =>
      other.meaning.kind === 'refund' &&
      !other.meaning.unsigned &&
      other.meaning.refundId === meaning.refundId &&
      other.meaning.amount === meaning.amount,
  );
}

function describe(row: StoredOrder | undefined): string {
  if (row === undefined) return 'not there';
  return `${row.status}, ${row.paid} paid, ${row.refunded} refunded`;
}
