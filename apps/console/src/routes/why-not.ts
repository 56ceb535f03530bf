import type { Unacceptable } from '@payonce/core/notifications/accept';

/** What to do instead of accepting. */
export const WHY_NOT: Readonly<Record<Unacceptable, string>> = {
  unknown_order: 'register the order, which releases the event; or reject it.',
  currency_mismatch:
    'amounts of two currencies cannot be added; refund it at the provider and reject it.',
  trade_on_other_order: 'a trade pays one order, and another one has it; reject it.',
  unsupported_event: 'what it says could not be read; look at the notification, and reject it.',
  internal_error: 'nobody has to vouch for it; retry it once the cause is mended.',
  nothing_said: 'it changes no order; reject it.',
};
