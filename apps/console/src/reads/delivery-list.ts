import type { Merchants } from '@payonce/core/access/merchants';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import type { DELIVERY_STATES } from '../api/delivery-views.js';
import { pageOf } from '../api/fields.js';
import { whereMerchant } from './where-merchant.js';
import { withStatementTimeout } from './with-statement-timeout.js';

/** Empty fields do not filter. */
export interface DeliveryQuery {
  readonly cursor?: bigint | undefined;
  readonly state?: (typeof DELIVERY_STATES)[number] | '' | undefined;
  readonly endpoint?: bigint | undefined;
  readonly endpointName?: string | undefined;
  readonly merchant?: string | undefined;
  readonly orderNumber?: string | undefined;
}

const withAbout = {
  endpoint: { select: { id: true, name: true, merchant: true, disabledAt: true } },
  orderEvent: {
    select: {
      type: true,
      merchant: true,
      order: { select: { merchant: true, number: true } },
      notificationEvent: { select: { notificationRowId: true, orderNumber: true } },
    },
  },
} as const;

export type DeliveryListRow = Prisma.DeliveryGetPayload<{ include: typeof withAbout }>;

/** Deliveries of these merchants, the newest first. */
export async function readDeliveries(
  prisma: PrismaClient,
  merchants: Merchants,
  query: DeliveryQuery,
  limit: number,
) {
  const endpoint = {
    ...(query.endpointName && { name: query.endpointName }),
    ...(query.merchant && { merchant: query.merchant }),
    ...whereMerchant(merchants),
  };
  const found = await withStatementTimeout(prisma, (tx) =>
    tx.delivery.findMany({
      where: {
        ...(query.cursor && { id: { lt: query.cursor } }),
        ...(query.state && { state: query.state }),
        ...(query.endpoint && { endpointId: query.endpoint }),
        ...(Object.keys(endpoint).length > 0 && { endpoint }),
        ...(query.orderNumber && { orderEvent: { order: { number: query.orderNumber } } }),
      },
      select: { id: true },
      orderBy: { id: 'desc' },
      take: limit + 1,
    }),
  );
  const { rows, nextCursor } = pageOf(found, limit);
  const deliveries = await prisma.delivery.findMany({
    where: { id: { in: rows.map(({ id }) => id) } },
    include: withAbout,
    orderBy: { id: 'desc' },
  });
  return { rows: deliveries, nextCursor };
}

/** A delivery is tried some ten times a round, over days. */
const MAX_ATTEMPTS = 100;
const withAttempts = {
  ...withAbout,
  orderEvent: { select: { ...withAbout.orderEvent.select, payload: true } },
  history: { orderBy: { id: 'desc' }, take: MAX_ATTEMPTS },
} as const;

/** One delivery with its payload and its latest attempts. */
export function readDelivery(prisma: PrismaClient, id: bigint) {
  return prisma.delivery.findUnique({ where: { id }, include: withAttempts });
}
export type DeliveryDetailRow = NonNullable<Awaited<ReturnType<typeof readDelivery>>>;
