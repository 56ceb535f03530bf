import type { Role } from '@payonce/orders/access/api-keys';
import type { FastifySchema, RouteOptions } from 'fastify';
import { z } from 'zod';
import { problemSchema } from '../api/problems.js';
import type { MerchantRule } from './merchants.js';

/** The meaning of a status, the same for every route. */
const MEANINGS: Readonly<Record<string, string>> = {
  200: 'OK.',
  201: 'Created.',
  400: 'The request is not valid. `errors` names the fields.',
  401: 'No valid bearer key.',
  403: 'The role or the merchants of the key do not allow this. `code` says which.',
  404: 'Not found.',
  409: 'Conflicts with the current state. `code` says why.',
  413: 'The body is too large.',
  415: 'The body is not JSON.',
  422: 'The request cannot be carried out. `code` says why.',
  429: 'This address sent too many invalid keys. Wait for the time in `Retry-After`.',
  500: 'An error inside payonce. The log has the details.',
  503: 'Not available. `code` says why: often the database does not respond, and `Retry-After` says when to try again.',
};

const IDEMPOTENCY_KEY = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe(
      'A request that is repeated with the same key within a day is not carried out again. It gets the same response, with `Idempotent-Replayed: true`.',
    ),
});

/**
 * A route's schema in the API's description. It includes what the guard, the error handler and the
 * idempotency keys add to every route, and shows problems as `application/problem+json`.
 */
export function describeRoute(
  schema: FastifySchema,
  { config, method }: Pick<RouteOptions, 'config' | 'method'>,
): FastifySchema {
  const role = config?.access as Role;
  const posts = method === 'POST';
  const own = (schema.response ?? {}) as Readonly<Record<string, z.ZodType>>;
  const added = [401, 403, 429, 500, 503];
  if (schema.params || schema.querystring || schema.body || posts) added.push(400);
  if (schema.body) added.push(413, 415);
  if (posts) added.push(409, 422);
  const problems = Object.fromEntries(added.map((status) => [status, problemSchema]));
  const response = Object.entries({ ...problems, ...own }).map(
    ([status, text]) => [status, describeResponse(status, text)] as const,
  );
  return {
    ...schema,
    ...(posts && { headers: IDEMPOTENCY_KEY }),
    description: `Needs the role \`${role}\`${merchantsNeeded(config?.merchants)}${schema.description ? `\n\n${schema.description}` : ''}`,
    security: [{ bearerKey: [role] }],
    response: Object.fromEntries(response),
  };
}

function merchantsNeeded(rule: MerchantRule = 'all'): string {
  switch (rule) {
    case 'all':
      return ' and a key for all merchants.';
    case 'none':
      return '.';
    case 'listed':
      return ". Covers the key's merchants only.";
    default:
      return ' and a key for the merchant.';
  }
}

function describeResponse(status: string, schema: z.ZodType) {
  if (schema instanceof z.ZodNull) return schema;
  const type = schema === problemSchema ? 'application/problem+json' : 'application/json';
  return { description: MEANINGS[status] ?? status, content: { [type]: { schema } } };
}
