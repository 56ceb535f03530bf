import { compile } from '@fastify/proxy-addr';
import { type Merchants, merchantsOf } from '@payonce/orders/access/merchants';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Session, Sessions, SessionUser } from '../auth/sessions.js';
import { isRefresh } from '../parts/page-context.js';

/** An authenticating proxy in front, which names the person in a header. */
export interface IdentitySettings {
  readonly header: string;
  readonly role: SessionUser['role'];
  /**
   * The merchants of everybody whom the proxy names, all by default; or the header that names them
   * for each person.
   */
  readonly merchants?: Merchants | { readonly header: string } | undefined;
  /** The addresses or networks of the proxies that may name people. */
  readonly proxies: readonly string[];
}

export interface SessionUserOptions {
  readonly sessions: Sessions;
  readonly sessionCookie: string;
  readonly https: boolean;
  readonly identity: IdentitySettings | null;
}

/** The person of a request; null: a login is needed. */
export type FindSession = (request: FastifyRequest, reply: FastifyReply) => Session | null;

/** For this origin alone and hidden from scripts; gone when the browser closes. */
export function cookieOptions(https: boolean) {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure: https } as const;
}

export function createFindSession(options: SessionUserOptions): FindSession {
  const { sessions, sessionCookie, https, identity } = options;
  const personOf = identity === null ? () => null : createPersonOf(identity);
  return (request, reply) => {
    const how = isRefresh(request) ? 'look' : 'use';
    const session = sessions.find(request.cookies[sessionCookie] ?? '', how);
    const person = personOf(request);
    if (person === null) {
      // A session from the proxy needs the proxy's header with every request.
      return session?.via === 'proxy' ? null : session;
    }
    if (session !== null && isSame(session, person)) return session;
    // An open page must not start a session: it says that its session has ended.
    if (how === 'look') return null;
    if (session?.via === 'proxy') sessions.end(request.cookies[sessionCookie] ?? '');
    const id = sessions.start(person);
    reply.setCookie(sessionCookie, id, cookieOptions(https));
    return sessions.find(id, 'use');
  };
}

/** With other merchants than before it is another session. */
function isSame(session: Session, { user, merchants, via }: SessionUser): boolean {
  const same = JSON.stringify(session.merchants) === JSON.stringify(merchants);
  return session.via === via && session.user === user && same;
}

/**
 * The person in the headers, if the socket's peer is a trusted proxy: headers from other peers are
 * ignored. Node joins two headers with a blank, which neither a name nor merchants contain.
 */
function createPersonOf({ header, role, merchants: limit = 'all', proxies }: IdentitySettings) {
  const isProxy = compile([...proxies]);
  return ({ socket, headers, ip, log }: FastifyRequest): SessionUser | null => {
    const user = headers[header];
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || !isProxy(remoteAddress, 0)) return null;
    // `key:…` in the audit log is a program.
    const isName = typeof user === 'string' && /^(?!key:)[\x21-\x7e]{1,64}$/.test(user);
    if (!isName) return null;
    const isSaid = typeof limit === 'object' && 'header' in limit;
    const merchants = isSaid ? merchantsSaid(headers[limit.header]) : limit;
    if (merchants !== null) return { user, role, merchants, via: 'proxy' };
    log.warn({ address: ip }, 'proxy_user.invalid');
    return null;
  };
}

/** `shop-a,shop-*`. Null when missing or invalid: then the request has no person. */
function merchantsSaid(header: string | string[] | undefined): Merchants | null {
  if (typeof header !== 'string' || !/^[\x21-\x7e]+$/.test(header)) return null;
  return merchantsOf(header.split(','));
}
