import { hasMerchant, type Merchants } from '@payonce/orders/access/merchants';
import type { PrismaClient } from '@payonce/prisma/client';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Problem, problem, sendProblem } from '../api/problems.js';
import { isOwnRow, type RowKind } from '../reads/own-row.js';
import { actorOf } from './auth.js';
import { sendRefusal } from './page-errors.js';

/**
 * The merchants that a route concerns. A route without a rule is only for callers of all merchants.
 * - `all`: every merchant, or objects of none (queues, statistics, the audit log, dead letters)
 * - `none`: it shows and changes nothing of any merchant
 * - `listed`: `merchantsOf(request)` limits its rows, in SQL
 * - `named`: those in its path, query or body; `refusal` is the response when one is not the
 *   caller's
 * - `row`: the merchant of the row with `:id`; `unknown` is the response when it is not the
 *   caller's, or does not exist, so that nobody learns which
 */
export type MerchantRule =
  | 'all'
  | 'none'
  | 'listed'
  | { readonly named: true; readonly refusal: Problem }
  | { readonly row: RowKind; readonly unknown: Problem };

declare module 'fastify' {
  interface FastifyContextConfig {
    merchants?: MerchantRule;
  }
  interface FastifyRequest {
    /** Whether the handler asked for the caller's merchants. */
    askedMerchants: boolean;
  }
}

const needsAllMerchants = problem(
  403,
  'all_merchants_needed',
  'This needs access to all merchants; the caller is limited to some.',
);
export const merchantForbidden = problem(
  403,
  'merchant_forbidden',
  'The caller has no access to this merchant. If none is named, it is `default`.',
);

/**
 * The only place that separates merchants. Call it after `guardEverything`, which identifies the
 * caller.
 */
export function guardMerchants(app: FastifyInstance, prisma: PrismaClient): void {
  app.decorateRequest('askedMerchants', false);

  app.addHook('onRequest', async (request, reply) => {
    if (!isLimited(request) || ruleOf(request) !== 'all') return;
    return refuse(request, reply, needsAllMerchants);
  });

  // After validation, which fills in an omitted merchant.
  app.addHook('preHandler', async (request, reply) => {
    const rule = ruleOf(request);
    if (!isLimited(request) || typeof rule === 'string') return;
    const refusal = await refusalBy(prisma, rule, request);
    return refusal ? refuse(request, reply, refusal) : undefined;
  });

  // A list that was read without a limit must not be sent.
  app.addHook('onSend', async (request, reply) => {
    const isForgotten = ruleOf(request) === 'listed' && !request.askedMerchants;
    if (isForgotten && isLimited(request) && reply.statusCode < 300) {
      throw new Error('a list was read without the merchants of its caller');
    }
  });
}

/** The merchants whose data the caller may see: the limit of a `listed` route. */
export function merchantsOf(request: FastifyRequest): Merchants {
  request.askedMerchants = true;
  return actorOf(request).merchants;
}

/** Programs get no page, whatever they accept. */
function refuse(request: FastifyRequest, reply: FastifyReply, content: Problem): FastifyReply {
  return request.session === null
    ? sendProblem(reply, content)
    : sendRefusal(request, reply, content);
}

/** Public routes have no actor, and concern no merchant. */
function isLimited({ actor }: FastifyRequest): boolean {
  return actor !== null && actor.merchants !== 'all';
}

function ruleOf({ routeOptions: { config, url } }: FastifyRequest): MerchantRule {
  // An unknown address has no route: it returns 404 to everybody.
  return config?.merchants ?? (url === undefined ? 'none' : 'all');
}

async function refusalBy(
  prisma: PrismaClient,
  rule: Exclude<MerchantRule, string>,
  request: FastifyRequest,
): Promise<Problem | null> {
  const { merchants } = actorOf(request);
  if ('row' in rule) {
    const { id } = withId.parse(request.params);
    return (await isOwnRow(prisma, rule.row, id, merchants)) ? null : rule.unknown;
  }
  const named = merchantsNamed(request);
  const areOwn = named.length > 0 && named.every((merchant) => hasMerchant(merchants, merchant));
  return areOwn ? null : rule.refusal;
}

/** As the route's schema returns it. */
const withId = z.object({ id: z.bigint() });
const naming = z.object({ merchant: z.string() });
const namingMany = z.object({ orders: z.array(naming) });

/** Each merchant in the validated parts of the request: the handler reads nothing else. */
function merchantsNamed({ params, query, body, routeOptions }: FastifyRequest): string[] {
  const { params: ofParams, querystring, body: ofBody } = routeOptions.schema ?? {};
  const checked = [ofParams && params, querystring && query, ofBody && body];
  const one = checked.flatMap((part) => naming.safeParse(part).data ?? []);
  const many = namingMany.safeParse(ofBody && body).data?.orders ?? [];
  return [...one, ...many].map(({ merchant }) => merchant);
}
