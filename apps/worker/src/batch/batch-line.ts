import { isLocked } from '@payonce/core/runtime/errors';
import type {
  ApplyOutcome,
  EventOutcome,
  VerifiedNotification,
} from '@payonce/orders/notifications/records/notification';
import { MOST_ORDER_NUMBER_CHARACTERS } from '@payonce/providers/event';

type Result = PromiseSettledResult<ApplyOutcome>;

/**
 * For the log line of a batch: each notification as `channel notificationId [orders]: outcomes`, so
 * that a payment is found by its ID or order number. One text for each notification: a batch has
 * hundreds.
 */
export function describeNotifications(
  batch: readonly VerifiedNotification[],
  results: readonly Result[],
): string[] {
  return batch.map(({ channel, notificationId, events }, index) => {
    const orders = events.map(
      ({ orderNumber }) => orderNumber?.slice(0, MOST_ORDER_NUMBER_CHARACTERS) ?? '-',
    );
    return `${channel} ${notificationId} [${orders.join(', ')}]: ${outcomeOf(results[index])}`;
  });
}

function outcomeOf(result: Result | undefined): string {
  if (result === undefined) return 'not applied';
  if (result.status === 'rejected') return isLocked(result.reason) ? 'locked' : 'failed';
  if (result.value.copy) return 'copy';
  return result.value.events.map(describeOutcome).join(', ');
}

/** `applied`, `duplicate`, `ignored`, or `held` and the reason. */
export function describeOutcome(event: EventOutcome): string {
  return event.outcome === 'held' ? `held_${event.reason}` : event.outcome;
}
