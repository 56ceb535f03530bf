import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { disableEndpoint, enableEndpoint } from '@payonce/orders/deliveries/endpoints/switch';
import { redeliverParked } from '@payonce/orders/deliveries/redeliver-many';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { rowId } from '../../api/fields.js';
import { disableEndpointPage } from '../../pages/endpoint-disable.js';
import { endpointsPage } from '../../pages/endpoints.js';
import { sendPage, sessionOf, viewOf } from '../../pages/view.js';
import { reasonIn } from '../../plugins/forms.js';
import { merchantsOf } from '../../plugins/merchants.js';
import { sendRefusal } from '../../plugins/page-errors.js';
import { nothingHere } from '../../plugins/problems.js';
import { findEndpoint, readEndpointList } from '../../reads/endpoint-list.js';

const params = z.object({ id: rowId });
const merchants = { row: 'endpoint', unknown: nothingHere } as const;
const config = { access: 'session', role: 'operate', merchants } as const;

export async function endpointPageRoutes(
  instance: FastifyInstance,
  deps: DatabaseDeps,
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const path = '/endpoints/:id';

  app.get('/endpoints', { config: { merchants: 'listed' } }, async (request, reply) => {
    const rows = await readEndpointList(deps.prisma, merchantsOf(request));
    return sendPage(reply, endpointsPage(viewOf(request), rows, deps.clock()));
  });

  app.post(`${path}/enable`, { config, schema: { params } }, async (request, reply) => {
    const { result } = await enableEndpoint(deps, commandOf(request, request.params.id, null));
    tell(request, result, 'switched.enabled');
    return reply.redirect('/endpoints', 303);
  });

  app.get(`${path}/disable`, { config, schema: { params } }, async (request, reply) => {
    const row = await findEndpoint(deps.prisma, request.params.id);
    if (row === null) return sendRefusal(request, reply, nothingHere);
    return sendPage(reply, disableEndpointPage(viewOf(request), row, null));
  });

  app.post(`${path}/disable`, { config, schema: { params } }, async (request, reply) => {
    const row = await findEndpoint(deps.prisma, request.params.id);
    if (row === null) return sendRefusal(request, reply, nothingHere);
    const reason = reasonIn(request);
    if (reason === null) {
      const view = viewOf(request);
      const page = disableEndpointPage(view, row, view.t('decide.reasonMissing'));
      return sendPage(reply.code(400), page);
    }
    const { result } = await disableEndpoint(deps, commandOf(request, row.id, reason));
    tell(request, result, 'switched.disabled');
    return reply.redirect('/endpoints', 303);
  });

  app.post(`${path}/redeliver-parked`, { config, schema: { params } }, async (request, reply) => {
    const outcome = await redeliverParked(deps, commandOf(request, request.params.id, null));
    if (outcome.result === 'done') {
      const text = viewOf(request).t('switched.redelivered', { n: outcome.deliveries });
      sessionOf(request).flash = { good: true, text };
    } else tell(request, outcome.result, 'switched.enabled');
    return reply.redirect('/endpoints', 303);
  });
}

function commandOf(request: FastifyRequest, endpoint: bigint, reason: string | null) {
  return { actor: sessionOf(request).user, reason, endpoint };
}

function tell(
  request: FastifyRequest,
  result: 'done' | 'unknown_endpoint' | 'managed_by_file' | 'endpoint_disabled',
  done: 'switched.enabled' | 'switched.disabled',
): void {
  const { t } = viewOf(request);
  const text = result === 'done' ? t(done) : t(`switched.${result}`);
  sessionOf(request).flash = { good: result === 'done', text };
}
