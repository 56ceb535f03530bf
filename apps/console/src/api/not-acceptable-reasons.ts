import type { Unacceptable } from '@payonce/orders/notifications/held/accept-held-event';

/** What to do instead of accepting. */
export const NOT_ACCEPTABLE_REASONS: Readonly<Record<Unacceptable, string>> = {
  unknown_order: 'register the order, which releases the event, or reject the event.',
  currency_mismatch:
    'amounts in two currencies cannot be added. Refund the payment at the provider and reject the event.',
  trade_on_other_order:
    'the trade already pays another order. Release it there, or reject this event.',
  unsupported_event:
    'its content could not be read. Look at the notification, then reject the event.',
  internal_error: 'it needs no decision. Retry it after the cause is fixed.',
  nothing_said: 'it changes no order. Reject it.',
};
