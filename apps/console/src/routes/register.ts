import type { DatabaseDeps } from '@payonce/core/database/deps';
import { closeOrder, registerOrder } from '@payonce/core/orders/register';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { amount, merchant, orderNumber } from '../api/fields.js';
import { orderView, viewOfOrder } from '../api/order-views.js';
import { problem, problemSchema, sendProblem } from '../plugins/problems.js';
import { ofMerchant, orderParams, unknownOrder } from './orders.js';

const newOrder = z.strictObject({
  merchant: merchant.default('default'),
  orderNumber,
  amount,
  currency: z.literal('CNY', 'must be CNY').default('CNY'),
});

/** `released`: how many events were held for this order and have been applied now. */
const registeredView = orderView.extend({ released: z.number().int() });

/** What changes an order. Whoever has the key is the merchant's own system. */
export async function registerRoutes(instance: FastifyInstance, deps: DatabaseDeps): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();

  /** As it is after the change; core's own answer leaves out what only lists show. */
  const read = async ({ id }: { readonly id: bigint }) =>
    viewOfOrder(await deps.prisma.order.findUniqueOrThrow({ where: { id } }));

  app.post(
    '/orders',
    {
      config: { access: 'operate' },
      schema: {
        operationId: 'registerOrder',
        summary: 'Register an order, before its buyer is sent to the provider',
        tags: ['orders'],

        body: newOrder,
        response: { 200: orderView, 201: registeredView, 409: problemSchema },
      },
    },
    async ({ body }, reply) => {
      const { merchant, orderNumber: number, currency } = body;
      const terms = { merchant, number, amount: BigInt(body.amount), currency };
      const result = await registerOrder(deps, terms);
      switch (result.outcome) {
        case 'registered': {
          const query = new URLSearchParams({ merchant });
          reply.header('location', `/v1/orders/${encodeURIComponent(number)}?${query}`);
          return reply.code(201).send({ ...(await read(result.order)), released: result.released });
        }
        case 'existing':
          return reply.code(200).send(await read(result.order));
        case 'conflict': {
          const known = `${result.order.amount} ${result.order.currency} (minor units)`;
          const detail = `This order number is registered already, with ${known}.`;
          return sendProblem(reply, problem(409, 'order_conflict', detail));
        }
      }
    },
  );

  app.post(
    '/orders/:number/close',
    {
      config: { access: 'operate' },
      schema: {
        operationId: 'closeOrder',
        summary: 'Close an order that is not paid',
        tags: ['orders'],

        params: orderParams,
        querystring: ofMerchant,
        response: { 200: orderView, 404: problemSchema, 409: problemSchema },
      },
    },
    async ({ params, query }, reply) => {
      const result = await closeOrder(deps, { merchant: query.merchant, number: params.number });
      switch (result.outcome) {
        case 'closed':
          return reply.code(200).send(await read(result.order));
        case 'paid':
          return sendProblem(
            reply,
            problem(409, 'already_paid', 'The order is paid; a refund is what can follow.'),
          );
        case 'unknown_order':
          return sendProblem(reply, unknownOrder);
      }
    },
  );
}
