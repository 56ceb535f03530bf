import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { pageOf } from '../api/fields.js';

export const DELIVERY_STATES = ['pending', 'delivered', 'parked'] as const;

export interface DeliveryQuery {
  readonly state: (typeof DELIVERY_STATES)[number] | '';
  readonly endpoint: string;
  readonly orderNumber: string;
  readonly cursor: bigint | undefined;
}

const withAbout = {
  endpoint: { select: { id: true, name: true, merchant: true, disabledAt: true } },
  orderEvent: {
    select: {
      type: true,
      milestone: true,
      version: true,
      payload: true,
      createdAt: true,
      order: { select: { merchant: true, number: true } },
      notificationEvent: { select: { notificationRowId: true } },
    },
  },
} as const;

export type DeliveryListRow = Prisma.DeliveryGetPayload<{ include: typeof withAbout }>;

/** Deliveries, the newest first. */
export async function readDeliveryList(prisma: PrismaClient, query: DeliveryQuery, limit: number) {
  const found = await prisma.delivery.findMany({
    where: {
      ...(query.cursor && { id: { lt: query.cursor } }),
      ...(query.state && { state: query.state }),
      ...(query.endpoint && { endpoint: { name: query.endpoint } }),
      ...(query.orderNumber && { orderEvent: { order: { number: query.orderNumber } } }),
    },
    include: withAbout,
    orderBy: { id: 'desc' },
    take: limit + 1,
  });
  return pageOf(found, limit);
}

/** A delivery is tried some ten times a round, over days. */
const MAX_ATTEMPTS = 100;
const withAttempts = {
  ...withAbout,
  history: { orderBy: { id: 'desc' }, take: MAX_ATTEMPTS },
} as const;

/** One with its latest attempts. */
export function readDelivery(prisma: PrismaClient, id: bigint) {
  return prisma.delivery.findUnique({ where: { id }, include: withAttempts });
}
export type DeliveryDetailRow = NonNullable<Awaited<ReturnType<typeof readDelivery>>>;
