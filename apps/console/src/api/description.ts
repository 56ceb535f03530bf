import type { Role } from '@payonce/core/access/api-keys';
import type { FastifySchema, RouteOptions } from 'fastify';
import { z } from 'zod';
import type { MerchantRule } from '../plugins/merchants.js';
import { problemSchema } from '../plugins/problems.js';

/** The meaning of a status, the same for every route. */
const MEANINGS: Readonly<Record<string, string>> = {
  200: 'As asked for.',
  201: 'Made.',
  400: 'The request is not as described here; `errors` names each field.',
  401: 'No valid bearer key.',
  403: 'The role of the key is too small, or the key is not of this merchant; `code` says which.',
  404: 'No such thing.',
  409: 'It cannot be done as things are; `code` says why.',
  413: 'The body is too large.',
  415: 'The body is not JSON.',
  422: 'Understood, and refused; `code` says why.',
  429: 'This address sent too many keys that were refused. Wait for `Retry-After`.',
  500: 'A defect of ours; the log has it.',
  503: 'The database does not answer. Try again after `Retry-After`.',
};

const IDEMPOTENCY_KEY = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe(
      'Sent again with the same key within a day, the request is not done again and has the same answer, with `Idempotent-Replayed: true`.',
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
    ([status, answer]) => [status, describeAnswer(status, answer)] as const,
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
      return ' and a key of all merchants.';
    case 'none':
      return '.';
    case 'listed':
      return ". It is about what belongs to the key's merchants.";
    default:
      return ', and a key of the merchant.';
  }
}

function describeAnswer(status: string, schema: z.ZodType) {
  if (schema instanceof z.ZodNull) return schema;
  const type = schema === problemSchema ? 'application/problem+json' : 'application/json';
  return { description: MEANINGS[status] ?? status, content: { [type]: { schema } } };
}
