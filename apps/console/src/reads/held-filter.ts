import type { Prisma } from '@payonce/prisma/client';
import { z } from 'zod';
import { between, channel, holdReason, merchant, orderNumber, time } from '../api/fields.js';

/** Which held events. `from` and `to`: when they came. */
export const heldFilter = {
  reason: holdReason.optional(),
  channel: channel.optional(),
  merchant: merchant.optional(),
  orderNumber: orderNumber.optional(),
  from: time.optional(),
  to: time.optional(),
};

const filter = z.object(heldFilter);

export function whereHeld(query: z.output<typeof filter>): Prisma.NotificationEventWhereInput {
  const createdAt = between(query.from, query.to);
  return {
    outcome: 'held',
    ...(query.reason && { holdReason: query.reason }),
    ...(query.merchant && { merchant: query.merchant }),
    ...(query.orderNumber && { orderNumber: query.orderNumber }),
    ...(query.channel && { notification: { channel: query.channel } }),
    ...(createdAt && { createdAt }),
  };
}
