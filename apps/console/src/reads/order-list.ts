import type { Tx } from '@payonce/core/database/transaction';
import type { OrderStatus } from '@payonce/core/orders/order';
import type { Rail } from '@payonce/core/rail';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { pageOf } from '../api/fields.js';
import { withinSeconds } from './within-seconds.js';

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
  };
  const found = await withinSeconds(prisma, async (tx) =>
    tx.order.findMany({
      where: {
        AND: [where, search ? { OR: [{ number: search }, await paidBy(tx, search)] } : {}],
      },
      orderBy: { id: 'desc' },
      take: limit + 1,
    }),
  );
  return pageOf(found, limit);
}

/** Two rails may use one number; each trade belongs to one order. */
export async function paidBy(tx: Tx, trade: string): Promise<Prisma.OrderWhereInput> {
  const rails: readonly Rail[] = ['alipay', 'wechat'];
  const trades = await tx.trade.findMany({
    where: { OR: rails.map((rail) => ({ rail, trade })) },
    select: { orderId: true },
  });
  return { id: { in: trades.map(({ orderId }) => orderId) } };
}
