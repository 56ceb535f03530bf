import { ATTENTION_FLAGS, ORDER_STATUSES } from '@payonce/core/orders/order';
import type { PrismaClient } from '@payonce/prisma/client';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { eventInclude } from '../api/audit-views.js';
import { line, merchant, orderNumber, page, time } from '../api/fields.js';
import { orderDetailView, orderView, viewOfHistory, viewOfOrder } from '../api/order-views.js';
import { merchantsOf } from '../plugins/merchants.js';
import { problem, problemSchema, sendProblem } from '../plugins/problems.js';
import { readOrders } from '../reads/order-list.js';

/** Rows of each list of one order: more than any honest order collects. */
const MAX_HISTORY = 200;

export const unknownOrder = problem(404, 'unknown_order', 'There is no such order.');
/** One order, by number and merchant. */
export const ofOrder = { named: true, refusal: unknownOrder } as const;
export const ofMerchant = z.strictObject({ merchant: merchant.default('default') });
export const orderParams = z.object({ number: orderNumber });

const listQuery = z.strictObject({
  ...page,
  merchant: merchant.optional(),
  status: z.enum(ORDER_STATUSES).optional(),
  orderNumber: orderNumber.optional(),
  /** A trade number of any rail. */
  trade: line(64).optional(),
  /** `any`, or one flag: what a person should look at. */
  attention: z.enum(['any', ...ATTENTION_FLAGS]).optional(),
  createdFrom: time.optional(),
  createdTo: time.optional(),
});

export async function orderRoutes(
  instance: FastifyInstance,
  { prisma }: { prisma: PrismaClient },
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();

  app.get(
    '/orders',
    {
      config: { access: 'read', merchants: 'listed' },
      schema: {
        operationId: 'listOrders',
        summary: 'List orders, newest first',
        tags: ['orders'],

        querystring: listQuery,
        response: {
          200: z.object({ orders: z.array(orderView), nextCursor: z.string().nullable() }),
        },
      },
    },
    async (request) => {
      const { query } = request;
      const { rows, nextCursor } = await readOrders(
        prisma,
        merchantsOf(request),
        query,
        query.limit,
      );
      return { orders: rows.map(viewOfOrder), nextCursor };
    },
  );

  app.get(
    '/orders/:number',
    {
      config: { access: 'read', merchants: ofOrder },
      schema: {
        operationId: 'getOrder',
        summary: 'Get an order with its facts, trades, events and audit rows',
        tags: ['orders'],

        params: orderParams,
        querystring: ofMerchant,
        response: { 200: orderDetailView, 404: problemSchema },
      },
    },
    async ({ params, query }, reply) => {
      const history = await readHistory(prisma, query.merchant, params.number);
      return history === null
        ? sendProblem(reply, unknownOrder)
        : viewOfHistory(history, MAX_HISTORY);
    },
  );
}

/**
 * One snapshot, so that an order never shows a fact without its consequences. Runs one query after
 * the other: Prisma would send included relations all at once on the transaction's only connection.
 */
function readHistory(prisma: PrismaClient, merchant: string, number: string) {
  const take = MAX_HISTORY + 1;
  const byId = { orderBy: { id: 'asc' }, take } as const;
  return prisma.$transaction(
    async (tx) => {
      const order = await tx.order.findUnique({
        where: { merchant_number: { merchant, number } },
      });
      if (order === null) return null;
      const where = { orderId: order.id };
      const facts = await tx.fact.findMany({ where, ...byId });
      const first = await tx.trade.findMany({ where, orderBy: { createdAt: 'asc' }, take });
      const claimed = await tx.tradeClaim.findMany({
        where,
        orderBy: { createdAt: 'asc' },
        take,
      });
      const trades = distinctTrades([...first, ...claimed]);
      const orderEvents = await tx.orderEvent.findMany({
        where,
        omit: { payload: true },
        ...byId,
      });
      const events = await tx.notificationEvent.findMany({
        where: { merchant, orderNumber: number },
        ...byId,
      });
      const audit = await tx.auditLog.findMany({ where, include: eventInclude, ...byId });
      return { order, facts, trades, events, orderEvents, audit };
    },
    { isolationLevel: 'RepeatableRead' },
  );
}

/** A trade that was released and reinstated is in both tables. */
function distinctTrades<Row extends { readonly rail: string; readonly trade: string }>(
  rows: readonly Row[],
): Row[] {
  return [...new Map(rows.map((row) => [`${row.rail}:${row.trade}`, row])).values()];
}
