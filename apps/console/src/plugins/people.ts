import { compile } from '@fastify/proxy-addr';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Person, Session, Sessions } from '../auth/sessions.js';
import { isRefresh } from '../pages/view.js';

/** An authenticating proxy in front, which names the person in a header. */
export interface IdentitySettings {
  readonly header: string;
  readonly role: Person['role'];
  /** Who may say so: the proxies' own addresses or networks. */
  readonly proxies: readonly string[];
}

export interface PeopleOptions {
  readonly sessions: Sessions;
  readonly sessionCookie: string;
  readonly https: boolean;
  readonly identity: IdentitySettings | null;
}

/** Who a request comes from; null: a login is needed. */
export type FindPerson = (request: FastifyRequest, reply: FastifyReply) => Session | null;

/** For this origin alone and out of reach of scripts; gone when the browser closes. */
export function cookieOptions(https: boolean) {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure: https } as const;
}

export function createFindPerson(options: PeopleOptions): FindPerson {
  const { sessions, sessionCookie, https, identity } = options;
  const nameOf = identity === null ? () => null : createNameOf(identity);
  return (request, reply) => {
    const how = isRefresh(request) ? 'look' : 'use';
    const session = sessions.find(request.cookies[sessionCookie] ?? '', how);
    const user = nameOf(request);
    if (identity === null || user === null) {
      // Whoever the proxy let in is nobody without the proxy's word.
      return session?.via === 'proxy' ? null : session;
    }
    if (session?.via === 'proxy' && session.user === user) return session;
    const id = sessions.start({ user, role: identity.role, via: 'proxy' });
    reply.setCookie(sessionCookie, id, cookieOptions(https));
    return sessions.find(id, how);
  };
}

/**
 * The name in the header, if the socket's own peer is a proxy that may say so: a header that anybody
 * else sends means nothing. Two headers are joined with a blank, which no name has.
 */
function createNameOf({ header, proxies }: IdentitySettings) {
  const isProxy = compile([...proxies]);
  return ({ socket, headers }: FastifyRequest): string | null => {
    const name = headers[header];
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || !isProxy(remoteAddress, 0)) return null;
    // `key:…` in the audit log is a program.
    const isName = typeof name === 'string' && /^(?!key:)[\x21-\x7e]{1,64}$/.test(name);
    return isName ? name : null;
  };
}
