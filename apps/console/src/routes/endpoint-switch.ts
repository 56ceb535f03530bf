import type { DatabaseDeps } from '@payonce/orders/database/deps';
import {
  deleteEndpoint,
  disableEndpoint,
  enableEndpoint,
} from '@payonce/orders/deliveries/endpoints/switch';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { problemOfEndpoint } from '../api/endpoint-problems.js';
import { endpointView, HIDDEN, viewOfEndpoint } from '../api/endpoint-views.js';
import { asking, rowId } from '../api/fields.js';
import { actorOf, operatorOf } from '../plugins/auth.js';
import { problemSchema, sendProblem } from '../plugins/problems.js';
import { ofEndpoint } from './endpoints.js';

const params = z.object({ id: rowId });

/** Disables, enables or deletes an endpoint. */
export async function endpointSwitchRoutes(
  instance: FastifyInstance,
  deps: DatabaseDeps,
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const tags = ['endpoints'];
  const refusals = { 404: problemSchema, 409: problemSchema };

  const switches = [
    ['enable', 'enableEndpoint', 'Enable an endpoint and reset its failures', enableEndpoint],
    [
      'disable',
      'disableEndpoint',
      'Disable an endpoint; deliveries that wait are parked',
      disableEndpoint,
    ],
  ] as const;
  for (const [verb, operationId, summary, apply] of switches) {
    app.post(
      `/endpoints/:id/${verb}`,
      {
        config: { access: 'operate', merchants: ofEndpoint },
        schema: {
          operationId,
          summary,
          tags,
          params,
          body: asking,
          response: { 200: endpointView, ...refusals },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const outcome = await apply(deps, { ...operatorOf(request), endpoint: id });
        if (outcome.result !== 'done') return sendProblem(reply, problemOfEndpoint(outcome));
        const where = { id };
        const row = await deps.prisma.webhookEndpoint.findUniqueOrThrow({ where, omit: HIDDEN });
        return viewOfEndpoint(row, actorOf(request).role);
      },
    );
  }

  app.delete(
    '/endpoints/:id',
    {
      config: { access: 'admin', merchants: ofEndpoint },
      schema: {
        operationId: 'deleteEndpoint',
        summary: 'Delete an endpoint and its secrets; its history stays',
        tags,
        params,
        response: { 204: z.null().describe('Deleted.'), ...refusals },
      },
    },
    async (request, reply) => {
      const command = { actor: actorOf(request).name, reason: null, endpoint: request.params.id };
      const outcome = await deleteEndpoint(deps, command);
      return outcome.result === 'done'
        ? reply.code(204).send(null)
        : sendProblem(reply, problemOfEndpoint(outcome));
    },
  );
}
