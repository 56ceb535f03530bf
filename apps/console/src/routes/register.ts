import type { DatabaseDeps } from '@payonce/orders/database/deps';
import type { OrderTerms } from '@payonce/orders/orders/order';
import { closeOrder, registerOrders } from '@payonce/orders/registration/register';
import type { FastifyReply } from 'fastify';
import type { FastifyRouteSchemaDef } from 'fastify/types/schema.js';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { orderView, viewOfOrder } from '../api/order-views.js';
import { problem, problemSchema, sendProblem } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { operatorOf } from '../plugins/auth.js';
import { merchantForbidden } from '../plugins/merchants.js';
import { amount, auditFields, merchant, orderNumber } from '../schemas/fields.js';
import { ofMerchant, ofOrder, orderParams, unknownOrder } from './orders.js';

const newOrder = z.strictObject({
  merchant: merchant.default('default'),
  orderNumber,
  amount,
  currency: z.literal('CNY', 'must be CNY').default('CNY'),
});

/** One transaction of a few hundred milliseconds. */
const MAX_ORDERS = 500;
/** For 500 orders with the longest values. */
const MAX_BYTES = 256 * 1_024;
const manyOrders = z.strictObject({ orders: z.array(newOrder).min(1).max(MAX_ORDERS) });

/** `released`: how many held events of the order are no longer held. */
const registeredView = orderView.extend({ released: z.number().int() });
/**
 * One for each order, in the given order. `conflict`: the number is registered with other terms.
 */
const resultsView = z.object({
  results: z.array(
    z.object({
      outcome: z.enum(['registered', 'existing', 'conflict']),
      released: z.number().int(),
      order: orderView,
    }),
  ),
});

/** Changes of orders. The holder of the key is the merchant's system. */
export async function registerRoutes(api: TypedApp, deps: DatabaseDeps): Promise<void> {
  register(api, deps);
  close(api, deps);
}

function register(api: TypedApp, deps: DatabaseDeps): void {
  api.post(
    '/orders',
    {
      config: { access: 'operate', merchants: { named: true, refusal: merchantForbidden } },
      bodyLimit: MAX_BYTES,
      validatorCompiler: validateAsMeant,
      schema: {
        operationId: 'registerOrder',
        summary: 'Register one order, or up to 500, before the buyer pays',
        tags: ['orders'],
        body: z.union([newOrder, manyOrders]),
        response: {
          200: z.union([orderView, resultsView]),
          201: registeredView,
          409: problemSchema,
        },
      },
    },
    async ({ body }, reply) => {
      const many = 'orders' in body;
      const outcomes = await registerOrders(deps, (many ? body.orders : [body]).map(termsOf));
      const results = outcomes.map((one) => ({
        outcome: one.outcome,
        released: one.outcome === 'registered' ? one.released : 0,
        order: viewOfOrder(one.order),
      }));
      const [only] = results;
      return many || only === undefined ? reply.code(200).send({ results }) : sendOne(reply, only);
    },
  );
}

function close(api: TypedApp, deps: DatabaseDeps): void {
  api.post(
    '/orders/:number/close',
    {
      config: { access: 'operate', merchants: ofOrder },
      schema: {
        operationId: 'closeOrder',
        summary: 'Close an unpaid order',
        tags: ['orders'],
        params: orderParams,
        querystring: ofMerchant,
        body: auditFields.nullish(),
        response: { 200: orderView, 404: problemSchema, 409: problemSchema },
      },
    },
    async (request, reply) => {
      const { params, query, body } = request;
      const key = { merchant: query.merchant, number: params.number };
      // The merchant's system closes orders all day; only a person leaves an audit row.
      const person = body?.operator ?? body?.reason;
      const operator = body && person !== undefined ? operatorOf({ ...request, body }) : null;
      const result = await closeOrder(deps, key, operator);
      switch (result.outcome) {
        case 'closed':
          return reply.code(200).send(viewOfOrder(result.order));
        case 'paid':
          return sendProblem(
            reply,
            problem(409, 'already_paid', 'The order is paid. It can be refunded, but not closed.'),
          );
        case 'unknown_order':
          return sendProblem(reply, unknownOrder);
      }
    },
  );
}

function termsOf(order: z.output<typeof newOrder>): OrderTerms {
  const { merchant, orderNumber: number, currency } = order;
  return { merchant, number, amount: BigInt(order.amount), currency };
}

/**
 * Validates the body by its form, so that an error names the faulty field rather than "neither this
 * nor that". This route takes nothing else.
 */
function validateAsMeant(route: FastifyRouteSchemaDef<unknown>) {
  const one = validatorCompiler({ ...route, schema: newOrder });
  const many = validatorCompiler({ ...route, schema: manyOrders });
  return (body: unknown) =>
    typeof body === 'object' && body !== null && 'orders' in body ? many(body) : one(body);
}

function sendOne(
  reply: FastifyReply,
  { outcome, order, released }: z.infer<typeof resultsView>['results'][number],
): FastifyReply {
  switch (outcome) {
    case 'registered': {
      const query = new URLSearchParams({ merchant: order.merchant });
      const number = encodeURIComponent(order.orderNumber);
      reply.header('location', `/v1/orders/${number}?${query}`);
      return reply.code(201).send({ ...order, released });
    }
    case 'existing':
      return reply.code(200).send(order);
    case 'conflict': {
      const known = `${order.amount} ${order.currency} (minor units)`;
      const detail = `This order number is already registered with ${known}.`;
      return sendProblem(reply, problem(409, 'order_conflict', detail));
    }
  }
}
