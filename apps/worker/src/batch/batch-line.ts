import { isLocked } from '@payonce/core/runtime/errors';
import type {
  ApplyOutcome,
  EventOutcome,
  VerifiedNotification,
} from '@payonce/orders/notifications/records/notification';
import { MOST_ORDER_NUMBER_CHARACTERS } from '@payonce/providers/event';

type Result = PromiseSettledResult<ApplyOutcome>;

/** One notification in the log line of its batch, found by its ID or by an order's number. */
interface NotificationEntry {
  readonly channel: string;
  readonly notificationId: string;
  readonly receivedAt: Date;
  /** One for each event. */
  readonly orders: readonly { readonly orderNumber: string | null; readonly outcome: string }[];
}

/** @param results in the order of `batch`; empty when the whole batch failed */
export function describeNotifications(
  batch: readonly VerifiedNotification[],
  results: readonly Result[],
): NotificationEntry[] {
  return batch.map(({ channel, notificationId, receivedAt, events }, index) => {
    const orders = events.map(({ orderNumber }, at) => ({
      orderNumber: orderNumber?.slice(0, MOST_ORDER_NUMBER_CHARACTERS) ?? null,
      outcome: outcomeOf(results[index], at),
    }));
    return { channel, notificationId, receivedAt, orders };
  });
}

/** Of the event at index `at` of a notification. */
function outcomeOf(result: Result | undefined, at: number): string {
  if (result === undefined) return 'not_applied';
  if (result.status === 'rejected') return isLocked(result.reason) ? 'locked' : 'failed';
  if (result.value.copy) return 'copy';
  const event = result.value.events[at];
  return event ? describeOutcome(event) : 'unknown';
}

/** `applied`, `duplicate`, `ignored`, or `held` and the reason. */
export function describeOutcome(event: EventOutcome): string {
  return event.outcome === 'held' ? `held_${event.reason}` : event.outcome;
}
