/** What a merchant's system is told; an endpoint may ask for some of them. The database knows no other. */
export const EVENT_TYPES = [
  'order.paid',
  'order.partially_refunded',
  'order.refunded',
  'order.closed',
  'order.attention',
  'order.payment_withdrawn',
  'notification.held',
  'notification.unsupported',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];
