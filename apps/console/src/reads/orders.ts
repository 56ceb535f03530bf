import type { Merchants } from '@payonce/orders/access/merchants';
import type { Tx } from '@payonce/orders/database/transaction';
import type { AttentionFlag, OrderStatus } from '@payonce/orders/orders/order';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import type { Rail } from '@payonce/providers/rail';
import { between, pageOf } from '../schemas/fields.js';
import { whereMerchant } from './where-merchant.js';
import { withStatementTimeout } from './with-statement-timeout.js';

/** Empty fields do not filter. */
export interface OrderQuery {
  readonly cursor?: bigint | undefined;
  readonly merchant?: string | undefined;
  readonly status?: OrderStatus | '' | undefined;
  readonly orderNumber?: string | undefined;
  /** A trade number of any rail. */
  readonly trade?: string | undefined;
  /** A complete order number or trade number. */
  readonly search?: string | undefined;
  readonly attention?: AttentionFlag | 'any' | undefined;
  readonly createdFrom?: string | undefined;
  readonly createdTo?: string | undefined;
}

/** Orders of these merchants, the newest first. */
export async function readOrders(
  prisma: PrismaClient,
  merchants: Merchants,
  query: OrderQuery,
  limit: number,
) {
  const { search, trade } = query;
  const found = await withStatementTimeout(prisma, async (tx) =>
    tx.order.findMany({
      where: {
        AND: [
          whereMerchant(merchants),
          whereOf(query),
          trade ? await paidBy(tx, trade) : {},
          search ? { OR: [{ number: search }, await paidBy(tx, search)] } : {},
        ],
      },
      orderBy: { id: 'desc' },
      take: limit + 1,
    }),
  );
  return pageOf(found, limit);
}

function whereOf(query: OrderQuery): Prisma.OrderWhereInput {
  const createdAt = between(query.createdFrom, query.createdTo);
  return {
    ...(query.cursor && { id: { lt: query.cursor } }),
    ...(query.merchant && { merchant: query.merchant }),
    ...(query.status && { status: query.status }),
    ...(query.orderNumber && { number: query.orderNumber }),
    ...(query.attention && {
      // The condition of the index on such orders.
      attention: { isEmpty: false },
      ...(query.attention !== 'any' && { AND: { attention: { has: query.attention } } }),
    }),
    ...(createdAt && { createdAt }),
  };
}

/** Two rails may use one number, and orders of two merchants may have one trade. */
async function paidBy(tx: Tx, trade: string): Promise<Prisma.OrderWhereInput> {
  const rails: readonly Rail[] = ['alipay', 'wechat'];
  const where = { OR: rails.map((rail) => ({ rail, trade })) };
  const select = { orderId: true } as const;
  const trades = await tx.trade.findMany({ where, select });
  const claims = await tx.tradeClaim.findMany({ where, select });
  return { id: { in: [...trades, ...claims].flatMap(({ orderId }) => orderId ?? []) } };
}
