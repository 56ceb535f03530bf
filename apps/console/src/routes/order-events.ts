import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { redeliverOrderEvent } from '@payonce/orders/deliveries/redeliver-many';
import { EVENT_TYPES } from '@payonce/orders/endpoints/event-types';
import { z } from 'zod';
import {
  orderEventDetailView,
  orderEventView,
  viewOfAttempt,
  viewOfDelivery,
  viewOfOrderEvent,
} from '../api/delivery-views.js';
import { problem, problemSchema, sendProblem } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { actorOf, operatorOf } from '../plugins/auth.js';
import { merchantsOf } from '../plugins/merchants.js';
import { readOrderEvent, readOrderEvents } from '../reads/order-events.js';
import { auditFields, merchant, orderNumber, page, rowId, time } from '../schemas/fields.js';
import { endpointDisabled } from './deliveries.js';

const params = z.object({ id: rowId });
const unknownEvent = problem(404, 'unknown_order_event', 'There is no such order event.');
const ofOrderEvent = { row: 'order_event', unknown: unknownEvent } as const;

const listQuery = z.strictObject({
  ...page,
  merchant: merchant.optional(),
  type: z.enum(EVENT_TYPES).optional(),
  /** Of `order.*` events. */
  orderNumber: orderNumber.optional(),
  from: time.optional(),
  to: time.optional(),
});

const tags = ['order events'];

/** The order events of merchants. */
export async function orderEventRoutes(api: TypedApp, deps: DatabaseDeps): Promise<void> {
  listOrderEvents(api, deps);
  getOrderEvent(api, deps);
  redeliver(api, deps);
}

function listOrderEvents(api: TypedApp, deps: DatabaseDeps): void {
  api.get(
    '/events',
    {
      config: { access: 'read', merchants: 'listed' },
      schema: {
        operationId: 'listOrderEvents',
        summary: 'List order events, newest first',
        tags,
        querystring: listQuery,
        response: {
          200: z.object({ events: z.array(orderEventView), nextCursor: z.string().nullable() }),
        },
      },
    },
    async (request) => {
      const { query } = request;
      const { rows, nextCursor } = await readOrderEvents(
        deps.prisma,
        merchantsOf(request),
        query,
        query.limit,
      );
      return { events: rows.map(viewOfOrderEvent), nextCursor };
    },
  );
}

function getOrderEvent(api: TypedApp, deps: DatabaseDeps): void {
  api.get(
    '/events/:id',
    {
      config: { access: 'read', merchants: ofOrderEvent },
      schema: {
        operationId: 'getOrderEvent',
        summary: 'Get an order event with its deliveries and their attempts',
        tags,
        params,
        response: { 200: orderEventDetailView, 404: problemSchema },
      },
    },
    async (request, reply) => {
      const found = await readOrderEvent(deps.prisma, request.params.id, actorOf(request).role);
      if (found === null) return sendProblem(reply, unknownEvent);
      const deliveries = found.deliveries.map(({ row, history }) => ({
        ...viewOfDelivery(row),
        history: history.map(viewOfAttempt),
      }));
      return { ...viewOfOrderEvent(found.event), payload: found.event.payload, deliveries };
    },
  );
}

function redeliver(api: TypedApp, deps: DatabaseDeps): void {
  api.post(
    '/events/:id/redeliver',
    {
      config: { access: 'operate', merchants: ofOrderEvent },
      schema: {
        operationId: 'redeliverOrderEvent',
        summary:
          "Redeliver an order event to one endpoint, or to all of the merchant's endpoints that take its type",
        tags,
        params,
        body: auditFields.extend({ endpoint: rowId.optional() }),
        response: {
          200: z.object({ deliveries: z.array(z.string()) }),
          404: problemSchema,
          409: problemSchema,
        },
      },
    },
    async (request, reply) => {
      const command = { orderEvent: request.params.id, endpoint: request.body.endpoint };
      const outcome = await redeliverOrderEvent(deps, { ...operatorOf(request), ...command });
      switch (outcome.result) {
        case 'done':
          return { deliveries: outcome.deliveries.map(String) };
        case 'unknown_order_event':
          return sendProblem(reply, unknownEvent);
        case 'unknown_endpoint': {
          const detail = 'The merchant has no such endpoint.';
          return sendProblem(reply, problem(404, 'unknown_endpoint', detail));
        }
        case 'endpoint_disabled':
          return sendProblem(reply, endpointDisabled);
      }
    },
  );
}
