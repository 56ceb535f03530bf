import type { OrderStatus } from '@payonce/core/orders/order';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { pageOf } from '../api/fields.js';

export interface OrderQuery {
  /** An order number or a trade number, whole. */
  readonly search: string;
  readonly status: OrderStatus | '';
  readonly merchant: string;
  readonly attentionOnly: boolean;
  readonly cursor: bigint | undefined;
}

/** Orders, the newest first. */
export async function readOrders(prisma: PrismaClient, query: OrderQuery, limit: number) {
  const { search } = query;
  const where: Prisma.OrderWhereInput = {
    ...(query.cursor && { id: { lt: query.cursor } }),
    ...(query.merchant && { merchant: query.merchant }),
    ...(query.status && { status: query.status }),
    ...(query.attentionOnly && { attention: { isEmpty: false } }),
    ...(search && { OR: [{ number: search }, { trades: { some: { trade: search } } }] }),
  };
  const found = await prisma.order.findMany({ where, orderBy: { id: 'desc' }, take: limit + 1 });
  return pageOf(found, limit);
}
