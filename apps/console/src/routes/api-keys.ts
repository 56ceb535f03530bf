import { createApiKey, KEY_NAME, ROLES, revokeApiKey } from '@payonce/orders/access/api-keys';
import { MAX_MERCHANTS, merchantsOf } from '@payonce/orders/access/merchants';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { z } from 'zod';
import { apiKeyView, newApiKeyView, viewOfApiKey } from '../api/api-key-views.js';
import { invalidRequest, problem, problemSchema, sendProblem } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { BOOTSTRAP_NAME, newBearerKey } from '../auth/bearer.js';
import { operatorOf } from '../plugins/auth.js';
import { readApiKey, readApiKeys } from '../reads/api-keys.js';
import { auditFields, line, page, rowId, time } from '../schemas/fields.js';

const unknownKey = problem(404, 'unknown_api_key', 'There is no such key.');
const nameTaken = problem(409, 'name_taken', 'This name is or was in use. Choose another one.');
const unreadable = invalidRequest([{ field: 'merchants', message: 'cannot be read' }]);
const inThePast = invalidRequest([{ field: 'expiresAt', message: 'must be in the future' }]);

const newKey = auditFields.extend({
  name: z.string().regex(KEY_NAME, 'must be 1 to 40 of a-z, 0-9 and -, and not begin with -'),
  role: z.enum(ROLES),
  merchants: z
    .array(line(64))
    .min(1)
    .max(MAX_MERCHANTS)
    .refine((entries) => merchantsOf(entries) !== null, 'may have up to 4 * each')
    .nullish()
    .describe(
      'Names, and patterns in which `*` stands for any text: `shop-*`. All merchants if left out.',
    ),
  expiresAt: time.optional(),
});

const tags = ['keys'];
const config = { access: 'admin', merchants: 'all' } as const;

/**
 * Bearer keys of programs. Only an admin of all merchants creates or revokes keys, so no key has
 * more rights than its creator.
 */
export async function apiKeyRoutes(api: TypedApp, deps: DatabaseDeps): Promise<void> {
  listApiKeys(api, deps);
  create(api, deps);
  revoke(api, deps);
}

function listApiKeys(api: TypedApp, deps: DatabaseDeps): void {
  api.get(
    '/api-keys',
    {
      config,
      schema: {
        operationId: 'listApiKeys',
        summary: 'List bearer keys, newest first',
        tags,
        querystring: z.strictObject(page),
        response: {
          200: z.object({ apiKeys: z.array(apiKeyView), nextCursor: z.string().nullable() }),
        },
      },
    },
    async ({ query }) => {
      const { rows, nextCursor } = await readApiKeys(deps.prisma, query);
      return { apiKeys: rows.map(viewOfApiKey), nextCursor };
    },
  );
}

function create(api: TypedApp, deps: DatabaseDeps): void {
  api.post(
    '/api-keys',
    {
      config: { ...config, showsSecret: true },
      schema: {
        operationId: 'createApiKey',
        summary: 'Create a bearer key; only this response shows it',
        tags,
        body: newKey,
        response: { 201: newApiKeyView, 409: problemSchema },
      },
    },
    async (request, reply) => {
      const { name, role } = request.body;
      const expiresAt = request.body.expiresAt ? new Date(request.body.expiresAt) : null;
      if (expiresAt && expiresAt <= deps.clock()) return sendProblem(reply, inThePast);
      if (name === BOOTSTRAP_NAME) return sendProblem(reply, nameTaken);
      const { secret, keyHash, hint } = newBearerKey();
      const merchants = merchantsOf(request.body.merchants ?? ['*']);
      if (merchants === null) return sendProblem(reply, unreadable);
      const key = { name, role, merchants, keyHash, hint, expiresAt };
      const outcome = await createApiKey(deps, operatorOf(request), key);
      return outcome.result === 'created'
        ? reply
            .code(201)
            .send({ ...viewOfApiKey(await readApiKey(deps.prisma, outcome.id)), key: secret })
        : sendProblem(reply, nameTaken);
    },
  );
}

function revoke(api: TypedApp, deps: DatabaseDeps): void {
  api.post(
    '/api-keys/:id/revoke',
    {
      config,
      schema: {
        operationId: 'revokeApiKey',
        summary: 'Revoke a bearer key at once',
        tags,
        params: z.object({ id: rowId }),
        body: auditFields,
        response: { 200: apiKeyView, 404: problemSchema },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const outcome = await revokeApiKey(deps, operatorOf(request), id);
      return outcome === 'revoked'
        ? viewOfApiKey(await readApiKey(deps.prisma, id))
        : sendProblem(reply, unknownKey);
    },
  );
}
