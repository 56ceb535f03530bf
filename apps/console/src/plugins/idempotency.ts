import {
  claimRequest,
  type IdempotencyClaim,
  IN_HAND_LIMIT_MS,
  releaseClaim,
  type StoredResponse,
  storeResponse,
} from '@payonce/orders/access/idempotent-requests';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { invalidRequest, problem, sendProblem } from '../api/problems.js';
import { logOf } from '../api/request-log.js';
import { fingerprint } from '../auth/secrets.js';
import { actorOf } from './auth.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The response shows a secret once: it is not stored, and a repeated request learns that. */
    showsSecret?: boolean;
  }
  interface FastifyRequest {
    /** Set for a POST with an `Idempotency-Key`. */
    idempotency: { readonly key: string; readonly requestHash: string } | null;
    /** Set while this request carries it out. */
    claim: IdempotencyClaim | null;
  }
}

/**
 * draft-ietf-httpapi-idempotency-key-header: a string of structured fields, so in quotes. Most
 * clients send it without quotes, which counts as the same key. UUIDs have 36 characters.
 */
const KEY = /^("?)([\x21\x23-\x5b\x5d-\x7e]{1,255})\1$/;

const reused = problem(
  422,
  'idempotency_key_reused',
  'This Idempotency-Key was already sent with another request.',
);
const inHand = problem(
  409,
  'request_in_hand',
  'The same request is still in progress. Please try again.',
);
const alreadyDone = problem(
  409,
  'already_done',
  'This request was already carried out. Its response held a secret, which is shown only once.',
);

/**
 * Lets each POST in this scope carry a key, so that a repeated request is not carried out twice.
 */
export function honourIdempotencyKeys(api: FastifyInstance, deps: DatabaseDeps): void {
  api.decorateRequest('idempotency', null);
  api.decorateRequest('claim', null);

  // Before validation, which replaces the body by its parsed form.
  api.addHook('preValidation', async (request, reply) => {
    const header = request.headers['idempotency-key'];
    if (request.method !== 'POST' || header === undefined) return;
    const key = KEY.exec(String(header))?.[2];
    if (key === undefined) return sendProblem(reply, unusableKey);
    request.idempotency = { key, requestHash: hashOf(request) };
  });

  // After validation: an invalid request uses up no key.
  api.addHook('preHandler', async (request, reply) => {
    if (request.idempotency === null) return;
    const { name: actor } = actorOf(request);
    const outcome = await claimRequest(deps, { actor, ...request.idempotency });
    switch (outcome.result) {
      case 'claimed':
        request.claim = outcome.claim;
        return;
      case 'completed':
        return replay(reply, outcome.response);
      case 'in_hand':
        reply.header('retry-after', IN_HAND_RETRY_SECONDS);
        return sendProblem(reply, inHand);
      case 'other_request':
        return sendProblem(reply, reused);
    }
  });

  api.addHook('onSend', async (request, reply, payload) => {
    const { claim } = request;
    if (claim === null) return;
    request.claim = null;
    try {
      // A failure on our side had no effect, or may be repeated.
      if (reply.statusCode >= 500) await releaseClaim(deps, claim);
      else await storeResponse(deps, claim, responseToStore(request, reply, payload));
    } catch (err) {
      // The action is done, so the response is sent; the key stays claimed until its time limit.
      logOf(request).warn({ err, limitMs: IN_HAND_LIMIT_MS }, 'response.not_stored');
    }
  });
}

/** Most requests end within a second; a killed one frees its key after a minute. */
const IN_HAND_RETRY_SECONDS = 2;

const unusableKey = invalidRequest([
  { field: 'idempotency-key', message: 'must be 1 to 255 printable characters of ASCII' },
]);

function hashOf({ method, url, body }: FastifyRequest): string {
  return fingerprint(`${method} ${url}\n${JSON.stringify(body ?? null)}`).toString('hex');
}

function responseToStore(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): StoredResponse {
  const { statusCode: status } = reply;
  if (request.routeOptions.config.showsSecret && status < 300) {
    const headers = { 'content-type': 'application/problem+json; charset=utf-8' };
    return { status: alreadyDone.status, headers, body: JSON.stringify(alreadyDone) };
  }
  const headers: Record<string, string> = {};
  for (const name of ['content-type', 'location']) {
    const value = reply.getHeader(name);
    if (value !== undefined) headers[name] = String(value);
  }
  return { status, headers, body: typeof payload === 'string' ? payload : '' };
}

function replay(reply: FastifyReply, { status, headers, body }: StoredResponse): FastifyReply {
  reply.headers({ ...headers, 'idempotent-replayed': 'true' });
  return reply.code(status).send(body);
}
