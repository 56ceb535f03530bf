import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { ATTENTION_FLAGS, ORDER_STATUSES } from '@payonce/orders/orders/order';
import { z } from 'zod';
import { orderDetailView, orderView, viewOfHistory, viewOfOrder } from '../api/order-views.js';
import { problem, problemSchema, sendProblem } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { merchantsOf } from '../plugins/merchants.js';
import { MAX_ROWS } from '../reads/history-rows.js';
import { readOrder } from '../reads/order.js';
import { readOrders } from '../reads/orders.js';
import { line, merchant, orderNumber, page, time } from '../schemas/fields.js';

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

export async function orderRoutes(api: TypedApp, deps: DatabaseDeps): Promise<void> {
  listOrders(api, deps);
  getOrder(api, deps);
}

function listOrders(api: TypedApp, deps: DatabaseDeps): void {
  api.get(
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
        deps.prisma,
        merchantsOf(request),
        query,
        query.limit,
      );
      return { orders: rows.map(viewOfOrder), nextCursor };
    },
  );
}

function getOrder(api: TypedApp, deps: DatabaseDeps): void {
  api.get(
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
      const key = { merchant: query.merchant, number: params.number };
      const history = await readOrder(deps.prisma, key);
      return history === null ? sendProblem(reply, unknownOrder) : viewOfHistory(history, MAX_ROWS);
    },
  );
}
