import { isLocked } from '@payonce/core/runtime/errors';
import type {
  ApplyOutcome,
  EventOutcome,
  VerifiedNotification,
} from '@payonce/orders/notifications/records/notification';

type Result = PromiseSettledResult<ApplyOutcome>;

/** The longest order number of the providers has 64 characters. */
const ORDER_NUMBER_MAX = 64;

/**
 * For the log line of a batch: each notification as `channel notificationId [orders]: outcomes`, so
 * that a payment is found by its ID or order number. A text each, since a batch has hundreds.
 */
export function describeNotifications(
  batch: readonly VerifiedNotification[],
  results: readonly Result[],
): string[] {
  return batch.map(({ channel, notificationId, events }, index) => {
    const orders = events.map(({ orderNumber }) => orderNumber?.slice(0, ORDER_NUMBER_MAX) ?? '-');
    return `${channel} ${notificationId} [${orders.join(', ')}]: ${outcomeOf(results[index])}`;
  });
}

function outcomeOf(result: Result | undefined): string {
  if (result === undefined) return 'not applied';
  if (result.status === 'rejected') return isLocked(result.reason) ? 'locked' : 'refused';
  if (result.value.copy) return 'copy';
  return result.value.events.map(describeOutcome).join(', ');
}

/** `applied`, `duplicate`, `ignored`, or `held` and the reason. */
export function describeOutcome(event: EventOutcome): string {
  return event.outcome === 'held' ? `held_${event.reason}` : event.outcome;
}
