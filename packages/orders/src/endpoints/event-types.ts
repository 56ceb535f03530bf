/**
 * The types of order events that merchants' systems receive. An endpoint may choose some of them.
 * The database accepts no other type.
 */
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
