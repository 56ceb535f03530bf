import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { redeliverDelivery, rejectDelivery } from '@payonce/orders/deliveries/redeliver';
import { z } from 'zod';
import { deliveryView, viewOfDelivery } from '../api/delivery-views.js';
import { problem, problemSchema, sendProblem } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { operatorOf } from '../plugins/auth.js';
import { merchantsOf } from '../plugins/merchants.js';
import { DELIVERY_STATES, readDeliveries, readDelivery } from '../reads/deliveries.js';
import {
  auditFields,
  decisionFields,
  merchant,
  orderNumber,
  page,
  rowId,
} from '../schemas/fields.js';

const params = z.object({ id: rowId });
const response = { 200: deliveryView, 404: problemSchema, 409: problemSchema };
const tags = ['order events'];
const unknownDelivery = problem(404, 'unknown_delivery', 'There is no such delivery.');
const ofDelivery = { row: 'delivery', unknown: unknownDelivery } as const;
export const endpointDisabled = problem(
  409,
  'endpoint_disabled',
  'This endpoint is disabled. Enable it first.',
);

const listQuery = z.strictObject({
  ...page,
  state: z.enum(DELIVERY_STATES).optional(),
  merchant: merchant.optional(),
  endpoint: rowId.optional(),
  orderNumber: orderNumber.optional(),
});

/** One order event for one endpoint, with an operator's actions on it. */
export async function deliveryRoutes(api: TypedApp, deps: DatabaseDeps): Promise<void> {
  listDeliveries(api, deps);
  redeliver(api, deps);
  reject(api, deps);
}

function listDeliveries(api: TypedApp, { prisma }: DatabaseDeps): void {
  api.get(
    '/deliveries',
    {
      config: { access: 'read', merchants: 'listed' },
      schema: {
        operationId: 'listDeliveries',
        summary: 'List deliveries of order events, newest first',
        tags,
        querystring: listQuery,
        response: {
          200: z.object({ deliveries: z.array(deliveryView), nextCursor: z.string().nullable() }),
        },
      },
    },
    async (request) => {
      const { query } = request;
      const { rows, nextCursor } = await readDeliveries(
        prisma,
        merchantsOf(request),
        query,
        query.limit,
      );
      return { deliveries: rows.map(viewOfDelivery), nextCursor };
    },
  );
}

function redeliver(api: TypedApp, deps: DatabaseDeps): void {
  api.post(
    '/deliveries/:id/redeliver',
    {
      config: { access: 'operate', merchants: ofDelivery },
      schema: {
        operationId: 'redeliverDelivery',
        summary: 'Redeliver now, with a new series of attempts',
        tags,
        params,
        body: auditFields,
        response,
      },
    },
    async (request, reply) => {
      const { id: delivery } = request.params;
      const outcome = await redeliverDelivery(deps, { ...operatorOf(request), delivery });
      switch (outcome.result) {
        case 'done':
          return viewOfDelivery(await readDelivery(deps.prisma, delivery));
        case 'unknown_delivery':
          return sendProblem(reply, unknownDelivery);
        case 'endpoint_disabled':
          return sendProblem(reply, endpointDisabled);
        case 'endpoint_deleted':
          return sendProblem(reply, problem(409, 'endpoint_deleted', 'Its endpoint was deleted.'));
        case 'in_hand': {
          const detail = 'A worker is sending it now. Please look again in a moment.';
          return sendProblem(reply, problem(409, 'in_hand', detail));
        }
      }
    },
  );
}

function reject(api: TypedApp, deps: DatabaseDeps): void {
  api.post(
    '/deliveries/:id/reject',
    {
      config: { access: 'operate', merchants: ofDelivery },
      schema: {
        operationId: 'rejectDelivery',
        summary: 'Give up a delivery; later deliveries of its order continue',
        tags,
        params,
        body: decisionFields,
        response,
      },
    },
    async (request, reply) => {
      const { id: delivery } = request.params;
      const outcome = await rejectDelivery(deps, { ...operatorOf(request), delivery });
      switch (outcome.result) {
        case 'done':
          return viewOfDelivery(await readDelivery(deps.prisma, delivery));
        case 'unknown_delivery':
          return sendProblem(reply, unknownDelivery);
        case 'delivered':
          return sendProblem(reply, problem(409, 'delivered', 'It was already delivered.'));
      }
    },
  );
}
