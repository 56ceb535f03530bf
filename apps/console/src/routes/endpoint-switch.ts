import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { deleteEndpoint, disableEndpoint, enableEndpoint } from '@payonce/orders/endpoints/switch';
import { z } from 'zod';
import { problemOfEndpoint } from '../api/endpoint-problems.js';
import { endpointView, viewOfEndpoint } from '../api/endpoint-views.js';
import { problemSchema, sendProblem } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { actorOf, operatorOf } from '../plugins/auth.js';
import { readEndpoint } from '../reads/endpoints.js';
import { auditFields, rowId } from '../schemas/fields.js';
import { ofEndpoint } from './endpoints.js';

const params = z.object({ id: rowId });

const tags = ['endpoints'];
const refusals = { 404: problemSchema, 409: problemSchema };

/** Disables, enables or deletes an endpoint. */
export async function endpointSwitchRoutes(api: TypedApp, deps: DatabaseDeps): Promise<void> {
  switchTo(api, deps, 'enable', enableEndpoint, {
    operationId: 'enableEndpoint',
    summary: 'Enable an endpoint and reset its failures',
  });
  switchTo(api, deps, 'disable', disableEndpoint, {
    operationId: 'disableEndpoint',
    summary: 'Disable an endpoint; deliveries that wait are parked',
  });
  remove(api, deps);
}

function switchTo(
  api: TypedApp,
  deps: DatabaseDeps,
  verb: string,
  apply: typeof enableEndpoint | typeof disableEndpoint,
  description: { readonly operationId: string; readonly summary: string },
): void {
  api.post(
    `/endpoints/:id/${verb}`,
    {
      config: { access: 'operate', merchants: ofEndpoint },
      schema: {
        ...description,
        tags,
        params,
        body: auditFields,
        response: { 200: endpointView, ...refusals },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const outcome = await apply(deps, { ...operatorOf(request), endpoint: id });
      if (outcome.result !== 'done') return sendProblem(reply, problemOfEndpoint(outcome));
      return viewOfEndpoint(await readEndpoint(deps.prisma, id, actorOf(request).role));
    },
  );
}

function remove(api: TypedApp, deps: DatabaseDeps): void {
  api.delete(
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
