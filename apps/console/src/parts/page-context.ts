import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Flash, Session } from '../auth/sessions.js';
import { languageOf } from '../i18n/language.js';
import { type Language, type Translate, translator } from '../i18n/translate.js';

export const LANGUAGE_COOKIE = 'payonce-language';

/** The reader of a page. */
export interface PageContext {
  readonly language: Language;
  readonly t: Translate;
  /** Null on the login page. */
  readonly session: Session | null;
  /** The page's address with its query: the page to return to after a change of language. */
  readonly address: string;
  readonly flash: Flash | null;
  readonly isRefresh: boolean;
}

/** Whether a script of an open page asks: that neither renews a session nor consumes a message. */
export function isRefresh(request: FastifyRequest): boolean {
  return request.headers['x-payonce-refresh'] !== undefined;
}

export function contextOf(request: FastifyRequest): PageContext {
  const language = languageOf(request.cookies[LANGUAGE_COOKIE], request.headers['accept-language']);
  const { session } = request;
  const refresh = isRefresh(request);
  const flash = refresh ? null : (session?.flash ?? null);
  if (session !== null && flash !== null) session.flash = null;
  const t = translator(language);
  return { language, t, session, address: request.url, flash, isRefresh: refresh };
}

/** Whether the buttons are shown; the routes themselves refuse people without the right. */
export function canOperate({ session }: PageContext): boolean {
  return session !== null && session.role !== 'read';
}

/** The session of a page behind the guard. */
export function sessionOf(request: FastifyRequest): Session {
  // The guard refuses requests without one.
  if (request.session === null) throw new Error('no session behind the guard');
  return request.session;
}

export function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(page);
}
