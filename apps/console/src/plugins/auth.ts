import { allows, type Role } from '@payonce/orders/access/api-keys';
import type { Operator } from '@payonce/orders/database/audit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem, sendProblem } from '../api/problems.js';
import type { Actor, CheckBearer } from '../auth/bearer.js';
import type { Session } from '../auth/sessions.js';
import { sendRefusal, wantsPage } from './page-errors.js';
import type { FindSession } from './session-user.js';

/**
 * Who may use a route: everybody, a person who has logged in, or a program whose key has this role.
 * Without it a route needs a session, and a route of the API an administrator's key: no route is
 * open by mistake.
 */
export type Access = 'public' | 'session' | Role;

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** The role that a person needs on a route with a session; `read` by default. */
    role?: Role;
  }
  interface FastifyRequest {
    /** Set on every route that needs a session. */
    session: Session | null;
    /** Set on every route that is not public. */
    actor: Actor | null;
  }
}

export interface CookieNames {
  readonly session: string;
  readonly login: string;
}

/**
 * With `__Host-` browsers accept the cookie only if it is Secure, for `/`, and for this host alone.
 */
export function cookieNames(https: boolean): CookieNames {
  const prefix = https ? '__Host-' : '';
  return { session: `${prefix}payonce-session`, login: `${prefix}payonce-login` };
}

export interface GuardOptions {
  readonly findSession: FindSession;
  readonly checkBearer: CheckBearer;
}

/** Refused keys from one address; a program with a wrong key is noticed long before. */
const MAX_REFUSED_KEYS = 20;
const REFUSED_WINDOW_MS = 60_000;

/**
 * One guard before everything, including unknown addresses. Register `@fastify/cookie` and
 * `@fastify/rate-limit` first.
 */
export function guardEverything(app: FastifyInstance, options: GuardOptions): void {
  app.decorateRequest('session', null);
  app.decorateRequest('actor', null);
  const guardApi = apiGuard(app, options);
  app.addHook('onRequest', async (request, reply) => {
    const access = accessOf(request);
    switch (access) {
      case 'public':
        return;
      case 'read':
      case 'operate':
      case 'admin':
        return guardApi(request, reply, access);
      case 'session':
        return guardPage(request, reply, options);
    }
  });
}

/** @throws Error on a public route */
export function actorOf({ actor }: Pick<FastifyRequest, 'actor'>): Actor {
  if (actor === null) throw new Error('nobody is known here: the route is public');
  return actor;
}

/** For audit rows: the authenticated actor, the person whom it acts for, and the reason. */
export function operatorOf(
  request: Pick<FastifyRequest, 'actor'> & {
    readonly body: { readonly operator?: string | undefined; readonly reason?: string | undefined };
  },
): Operator {
  const { operator: onBehalfOf, reason = null } = request.body;
  return { actor: actorOf(request).name, reason, onBehalfOf };
}

function accessOf(request: FastifyRequest): Access {
  const { config, url } = request.routeOptions;
  if (config?.access !== undefined) return config.access;
  if (!(url ?? request.url).startsWith('/v1/')) return 'session';
  // An unknown address has no route: if it looks like the API, it gets a response like the API's.
  return url === undefined ? 'read' : 'admin';
}

function apiGuard(app: FastifyInstance, { checkBearer }: GuardOptions) {
  const limit = app.createRateLimit({ max: MAX_REFUSED_KEYS, timeWindow: REFUSED_WINDOW_MS });
  return async (request: FastifyRequest, reply: FastifyReply, needed: Role) => {
    // Checked before the key: an address that guesses does not learn when it is right.
    const refused = await limit(request, { increment: false });
    if (!refused.isAllowed && refused.remaining === 0) {
      reply.header('retry-after', refused.ttlInSeconds);
      const detail = 'Too many invalid keys from this address. Please wait.';
      return sendProblem(reply, problem(429, 'too_many_attempts', detail));
    }
    const bearer = bearerOf(request);
    const actor = bearer === null ? null : await checkBearer(bearer);
    if (actor === null) {
      if (bearer !== null) await limit(request);
      reply.header('www-authenticate', 'Bearer realm="payonce"');
      return sendProblem(reply, problem(401, 'unauthorized', 'A valid bearer key is needed.'));
    }
    if (!allows(actor.role, needed)) {
      const detail = `This needs a key with the role ${needed}; this one has ${actor.role}.`;
      return sendProblem(reply, problem(403, 'forbidden', detail));
    }
    request.actor = actor;
    return undefined;
  };
}

function bearerOf(request: FastifyRequest): string | null {
  const match = /^Bearer ([\x21-\x7e]{1,1024})$/i.exec(request.headers.authorization ?? '');
  return match?.[1] ?? null;
}

function guardPage(
  request: FastifyRequest,
  reply: FastifyReply,
  { findSession }: GuardOptions,
): FastifyReply | undefined {
  request.session = findSession(request, reply);
  if (request.session === null) return refuseSession(request, reply);
  const { user: name, role, merchants } = request.session;
  request.actor = { name, role, merchants };
  const needed = request.routeOptions.config?.role ?? 'read';
  return allows(role, needed) ? undefined : sendRefusal(request, reply, notYours);
}

const notYours = problem(403, 'forbidden', 'You may view this, but not change it.');

/** A page that a person opens redirects to the login; other requests are refused plainly. */
function refuseSession(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (isRead && wantsPage(request)) return reply.redirect('/login', 303);
  return sendProblem(reply, problem(401, 'unauthorized', 'A login is needed.'));
}
