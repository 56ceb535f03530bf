import {
  createEndpoint,
  ENDPOINT_NAME,
  type EndpointDeps,
  rotateSecret,
  updateEndpoint,
} from '@payonce/orders/endpoints/commands';
import { EVENT_TYPES } from '@payonce/orders/endpoints/event-types';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type EndpointRefusal, problemOfEndpoint } from '../api/endpoint-problems.js';
import { endpointView, newEndpointView, viewOfEndpoint } from '../api/endpoint-views.js';
import { problemSchema, sendProblem } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { actorOf, operatorOf } from '../plugins/auth.js';
import { merchantForbidden, merchantsOf } from '../plugins/merchants.js';
import { findEndpoint, readEndpoint, readEndpoints } from '../reads/endpoints.js';
import { auditFields, line, merchant, page, rowId } from '../schemas/fields.js';

const params = z.object({ id: rowId });
/** One endpoint, by `:id`. */
export const ofEndpoint = {
  row: 'endpoint',
  unknown: problemOfEndpoint({ result: 'unknown_endpoint' }),
} as const;

/** Core validates it; here it only has a length limit. */
const url = line(4_096).describe(
  '`https://…`, or `handler:NAME` for a function inside the process that delivers.',
);
const secret = z.string().max(200).optional().describe('`whsec_…`; generated if left out.');
const eventTypes = z
  .array(z.enum(EVENT_TYPES))
  .max(EVENT_TYPES.length)
  .describe('An empty list means every type.');

/** A merchant that needs longer than a week for a new secret needs another way. */
const MAX_GRACE_SECONDS = 7 * 86_400;

const newEndpoint = auditFields.extend({
  merchant: merchant.default('default'),
  name: z.string().regex(ENDPOINT_NAME, 'must be 1 to 40 of a-z, 0-9 and -'),
  url,
  eventTypes: eventTypes.default([]),
  secret,
});
const changes = auditFields.extend({ url: url.optional(), eventTypes: eventTypes.optional() });
const rotation = auditFields.extend({
  secret,
  graceSeconds: z
    .int()
    .min(0)
    .max(MAX_GRACE_SECONDS)
    .optional()
    .describe('How long the previous secret still signs beside the new one; a day if left out.'),
});

const tags = ['endpoints'];
const config = { access: 'admin', merchants: ofEndpoint } as const;
const withSecret = { ...config, showsSecret: true } as const;
const response = { 200: endpointView, 404: problemSchema, 409: problemSchema };

/** The endpoints that receive merchants' order events. */
export async function endpointRoutes(api: TypedApp, deps: EndpointDeps): Promise<void> {
  listEndpoints(api, deps);
  getEndpoint(api, deps);
  create(api, deps);
  update(api, deps);
  rotate(api, deps);
}

function listEndpoints(api: TypedApp, deps: EndpointDeps): void {
  api.get(
    '/endpoints',
    {
      config: { access: 'read', merchants: 'listed' },
      schema: {
        operationId: 'listEndpoints',
        summary: 'List endpoints, newest first',
        tags,
        querystring: z.strictObject({ ...page, merchant: merchant.optional() }),
        response: {
          200: z.object({ endpoints: z.array(endpointView), nextCursor: z.string().nullable() }),
        },
      },
    },
    async (request) => {
      const { role } = actorOf(request);
      const { query } = request;
      const { rows, nextCursor } = await readEndpoints(
        deps.prisma,
        merchantsOf(request),
        query,
        query.limit,
        role,
      );
      return { endpoints: rows.map(viewOfEndpoint), nextCursor };
    },
  );
}

function getEndpoint(api: TypedApp, deps: EndpointDeps): void {
  api.get(
    '/endpoints/:id',
    {
      config: { access: 'read', merchants: ofEndpoint },
      schema: {
        operationId: 'getEndpoint',
        summary: 'Get an endpoint',
        tags,
        params,
        response: { 200: endpointView, 404: problemSchema },
      },
    },
    async (request, reply) => {
      const row = await findEndpoint(deps.prisma, request.params.id, actorOf(request).role);
      return row === null ? refuse(reply, { result: 'unknown_endpoint' }) : viewOfEndpoint(row);
    },
  );
}

function create(api: TypedApp, deps: EndpointDeps): void {
  api.post(
    '/endpoints',
    {
      config: { ...withSecret, merchants: { named: true, refusal: merchantForbidden } },
      schema: {
        operationId: 'createEndpoint',
        summary: 'Create an endpoint; only this response shows its secret',
        tags,
        body: newEndpoint,
        response: { 201: newEndpointView, 409: problemSchema, 503: problemSchema },
      },
    },
    async (request, reply) => {
      const { merchant, name, url, eventTypes, secret } = request.body;
      const command = { ...operatorOf(request), merchant, name, url, eventTypes, secret };
      const outcome = await createEndpoint(deps, command);
      if (outcome.result !== 'done') return refuse(reply, outcome);
      const view = await afterChange(deps, request, outcome.endpoint.id);
      return reply.code(201).send({ ...view, secret: outcome.secret });
    },
  );
}

function update(api: TypedApp, deps: EndpointDeps): void {
  api.patch(
    '/endpoints/:id',
    {
      config,
      schema: {
        operationId: 'updateEndpoint',
        summary: 'Change the address or the event types of an endpoint',
        tags,
        params,
        body: changes,
        response,
      },
    },
    async (request, reply) => {
      const { url, eventTypes } = request.body;
      const command = { ...operatorOf(request), endpoint: request.params.id, url, eventTypes };
      const outcome = await updateEndpoint(deps, command);
      return outcome.result === 'done'
        ? await afterChange(deps, request, request.params.id)
        : refuse(reply, outcome);
    },
  );
}

function rotate(api: TypedApp, deps: EndpointDeps): void {
  api.post(
    '/endpoints/:id/rotate-secret',
    {
      config: withSecret,
      schema: {
        operationId: 'rotateEndpointSecret',
        summary: 'Rotate the secret of an endpoint; only this response shows the new one',
        tags,
        params,
        body: rotation,
        response: { ...response, 200: newEndpointView, 503: problemSchema },
      },
    },
    async (request, reply) => {
      const { secret, graceSeconds } = request.body;
      const outcome = await rotateSecret(deps, {
        ...operatorOf(request),
        endpoint: request.params.id,
        secret,
        graceMs: graceSeconds === undefined ? undefined : graceSeconds * 1_000,
      });
      if (outcome.result !== 'done') return refuse(reply, outcome);
      return { ...(await afterChange(deps, request, request.params.id)), secret: outcome.secret };
    },
  );
}

async function afterChange(
  { prisma }: EndpointDeps,
  request: Pick<FastifyRequest, 'actor'>,
  id: bigint,
) {
  return viewOfEndpoint(await readEndpoint(prisma, id, actorOf(request).role));
}

function refuse(reply: FastifyReply, refusal: EndpointRefusal): FastifyReply {
  return sendProblem(reply, problemOfEndpoint(refusal));
}
