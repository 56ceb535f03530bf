import { z } from 'zod';
import type { AttemptRow, DeliveryRow } from '../reads/deliveries.js';
import type { OrderEventRow } from '../reads/order-events.js';
import { time } from '../schemas/fields.js';

export const deliveryView = z.object({
  id: z.string(),
  endpoint: z.object({ id: z.string(), name: z.string() }),
  orderEvent: z.string(),
  type: z.string(),
  merchant: z.string(),
  orderNumber: z.string().nullable(),
  state: z.string(),
  parkedReason: z.string().nullable(),
  /** In the present round. */
  attempts: z.number().int(),
  /** Null when no attempt is planned. */
  nextAttemptAt: time.nullable(),
  deliveredAt: time.nullable(),
  createdAt: time,
});

const attemptView = z.object({
  at: time,
  durationMs: z.number().int(),
  /** Null when there was no answer. */
  status: z.number().int().nullable(),
  error: z.string().nullable(),
  response: z
    .string()
    .nullable()
    .describe('The first KiB of the response, as text; masked unless the role is `admin`.'),
});

export const orderEventView = z.object({
  id: z.string(),
  merchant: z.string(),
  /** Null for `notification.*`. */
  orderNumber: z.string().nullable(),
  /** Null for `order.*`. */
  notification: z.string().nullable(),
  type: z.string(),
  milestone: z.string(),
  version: z.number().int().nullable(),
  createdAt: time,
  /** When its deliveries were created. */
  fannedOutAt: time.nullable(),
});

export const orderEventDetailView = orderEventView.extend({
  payload: z.unknown(),
  deliveries: z.array(deliveryView.extend({ history: z.array(attemptView) })),
});

export function viewOfOrderEvent(row: OrderEventRow): z.infer<typeof orderEventView> {
  return {
    id: row.id.toString(),
    merchant: row.merchant,
    orderNumber: numberOf(row),
    notification: row.notificationEvent?.notificationRowId.toString() ?? null,
    type: row.type,
    milestone: row.milestone,
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    fannedOutAt: row.fannedOutAt?.toISOString() ?? null,
  };
}

export function viewOfDelivery(row: DeliveryRow): z.infer<typeof deliveryView> {
  return {
    id: row.id.toString(),
    endpoint: { id: row.endpoint.id.toString(), name: row.endpoint.name },
    orderEvent: row.orderEventId.toString(),
    type: row.orderEvent.type,
    merchant: row.orderEvent.merchant,
    orderNumber: numberOf(row.orderEvent),
    state: row.state,
    parkedReason: row.parkedReason,
    attempts: row.attempts,
    nextAttemptAt: row.state === 'pending' ? row.nextAttemptAt.toISOString() : null,
    deliveredAt: row.deliveredAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}

export function viewOfAttempt(row: AttemptRow): z.infer<typeof attemptView> {
  const { at, durationMs, status, error, response } = row;
  return { at: at.toISOString(), durationMs, status, error, response };
}

function numberOf({
  order,
  notificationEvent,
}: Pick<OrderEventRow, 'order' | 'notificationEvent'>) {
  return order?.number ?? notificationEvent?.orderNumber ?? null;
}
