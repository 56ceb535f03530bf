import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fingerprint, matches } from '../auth/secrets.js';
import type { Session, Sessions } from '../auth/sessions.js';
import { problem, sendProblem } from './problems.js';

/** What a bearer key may do; each role may do what the one before may. */
export type Role = 'read' | 'operate' | 'admin';

/**
 * Who may use a route: everybody, a person who has logged in, or a program whose key has this role. A
 * route that does not say needs a session, so none is public by mistake.
 */
export type Access = 'public' | 'session' | Role;

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** Set on every route that needs a session. */
    session: Session | null;
  }
}

export interface CookieNames {
  readonly session: string;
  readonly login: string;
}

/** `__Host-` makes browsers refuse the cookie unless it is Secure, for `/`, and for this host alone. */
export function cookieNames(https: boolean): CookieNames {
  const prefix = https ? '__Host-' : '';
  return { session: `${prefix}payonce-session`, login: `${prefix}payonce-login` };
}

/** One guard before everything, unknown addresses included. `@fastify/cookie` must be there already. */
export function guardEverything(
  app: FastifyInstance,
  options: { sessions: Sessions; apiKey: string; cookies: CookieNames },
): void {
  const { sessions, cookies } = options;
  const apiKey = fingerprint(options.apiKey);
  app.decorateRequest('session', null);
  app.addHook('onRequest', async (request, reply) => {
    switch (accessOf(request)) {
      case 'public':
        return;
      case 'read':
      case 'operate':
      case 'admin':
        return hasKey(request, apiKey) ? undefined : refuseKey(reply);
      case 'session':
        request.session = sessions.find(request.cookies[cookies.session] ?? '');
        return request.session === null ? refuseSession(request, reply) : undefined;
    }
  });
}

function accessOf(request: FastifyRequest): Access {
  const { config, url } = request.routeOptions;
  // An unknown address has no route: what looks like the API is answered like the API.
  return config?.access ?? ((url ?? request.url).startsWith('/v1/') ? 'read' : 'session');
}

function hasKey(request: FastifyRequest, apiKey: Buffer): boolean {
  const match = /^Bearer ([\x21-\x7e]{1,1024})$/i.exec(request.headers.authorization ?? '');
  return match !== null && matches(match[1] ?? '', apiKey);
}

function refuseKey(reply: FastifyReply): FastifyReply {
  reply.header('www-authenticate', 'Bearer realm="payonce"');
  return sendProblem(reply, problem(401, 'unauthorized', 'A valid bearer key is needed.'));
}

/** A page that a person opens leads to the login; anything a program asks for is refused plainly. */
function refuseSession(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const opensPage =
    (request.method === 'GET' || request.method === 'HEAD') &&
    (request.headers.accept ?? '').includes('text/html');
  if (opensPage) return reply.redirect('/login', 303);
  return sendProblem(reply, problem(401, 'unauthorized', 'A login is needed.'));
}
