import type { Merchants } from '@payonce/orders/access/merchants';
import type { HoldReason } from '@payonce/orders/database/hold-reason';
import type { Prisma } from '@payonce/prisma/client';
import { between, channel, holdReason, merchant, orderNumber, time } from '../schemas/fields.js';
import { whereMerchant } from './where-merchant.js';

/** Selects held events. `from` and `to`: their time of arrival. */
export const heldFilter = {
  reason: holdReason.optional(),
  channel: channel.optional(),
  merchant: merchant.optional(),
  orderNumber: orderNumber.optional(),
  from: time.optional(),
  to: time.optional(),
};

/** Empty fields do not filter. */
export interface HeldFilter {
  readonly reason?: HoldReason | '' | undefined;
  readonly channel?: string | undefined;
  readonly merchant?: string | undefined;
  readonly orderNumber?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export function whereHeld(
  query: HeldFilter,
  merchants: Merchants,
): Prisma.NotificationEventWhereInput {
  const createdAt = between(query.from, query.to);
  return {
    outcome: 'held',
    ...(query.reason && { holdReason: query.reason }),
    ...(query.merchant && { merchant: query.merchant }),
    ...(query.orderNumber && { orderNumber: query.orderNumber }),
    ...(query.channel && { notification: { channel: query.channel } }),
    ...(createdAt && { createdAt }),
    ...whereMerchant(merchants),
  };
}
