import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type CheckLogin, fingerprint, matches, randomToken } from '../auth/secrets.js';
import type { Sessions } from '../auth/sessions.js';
import { loginPage } from '../pages/login.js';
import type { CookieNames } from '../plugins/auth.js';
import { problem, sendProblem } from '../plugins/problems.js';

export interface LoginOptions {
  readonly checkLogin: CheckLogin;
  readonly sessions: Sessions;
  readonly cookies: CookieNames;
  readonly https: boolean;
}

/** Attempts from one address, right or wrong; a person who mistypes has some left, a guesser has none. */
const MAX_ATTEMPTS = 10;
const ATTEMPT_WINDOW_MS = 10 * 60_000;
/** User, password and token percent-encoded fit; nothing else belongs in these forms. */
const MAX_FORM_BYTES = 8 * 1_024;

const WRONG = 'Wrong user or password.';
const EXPIRED = 'The form had expired. Please try again.';
const TOO_MANY = 'Too many attempts. Please wait some minutes.';

export async function loginRoutes(app: FastifyInstance, options: LoginOptions): Promise<void> {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: MAX_FORM_BYTES },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
  const attempts = { max: MAX_ATTEMPTS, timeWindow: ATTEMPT_WINDOW_MS };

  app.get('/login', { config: { access: 'public' } }, (_request, reply) =>
    showLogin(reply, options, 200, null),
  );

  app.post(
    '/login',
    {
      config: { access: 'public', rateLimit: attempts },
      errorHandler: (error, _request, reply) => {
        if (error.statusCode === 429) return showLogin(reply, options, 429, TOO_MANY);
        throw error;
      },
    },
    (request, reply) => logIn(request, reply, options),
  );

  app.post('/logout', (request, reply) => logOut(request, reply, options));
}

/** A double-submitted token: the form must carry what only this origin's cookie knows. */
function showLogin(
  reply: FastifyReply,
  { cookies, https }: LoginOptions,
  status: number,
  message: string | null,
): FastifyReply {
  const formToken = randomToken();
  reply.setCookie(cookies.login, formToken, cookieOptions(https));
  return sendPage(reply.code(status), loginPage(formToken, message));
}

async function logIn(
  request: FastifyRequest,
  reply: FastifyReply,
  options: LoginOptions,
): Promise<FastifyReply> {
  const { checkLogin, sessions, cookies, https } = options;
  const form = formOf(request);
  if (!isFromOurForm(request, form, request.cookies[cookies.login])) {
    return showLogin(reply, options, 403, EXPIRED);
  }
  const user = form.get('user') ?? '';
  if (!(await checkLogin(user, form.get('password') ?? ''))) {
    request.log.warn({ address: request.ip }, 'login refused');
    return showLogin(reply, options, 401, WRONG);
  }
  // Always a new ID: one that was planted before the login is worth nothing.
  sessions.end(request.cookies[cookies.session] ?? '');
  reply.clearCookie(cookies.login, cookieOptions(https));
  reply.setCookie(cookies.session, sessions.start(user), cookieOptions(https));
  request.log.info({ address: request.ip }, 'logged in');
  return reply.redirect('/', 303);
}

async function logOut(
  request: FastifyRequest,
  reply: FastifyReply,
  { sessions, cookies, https }: LoginOptions,
): Promise<FastifyReply> {
  if (!isFromOurForm(request, formOf(request), request.session?.formToken)) {
    return sendProblem(reply, problem(403, 'forbidden', EXPIRED));
  }
  sessions.end(request.cookies[cookies.session] ?? '');
  reply.clearCookie(cookies.session, cookieOptions(https));
  return reply.redirect('/login', 303);
}

/** For this origin alone and out of reach of scripts; gone when the browser closes. */
function cookieOptions(https: boolean) {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure: https } as const;
}

function formOf(request: FastifyRequest): URLSearchParams {
  return request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
}

/** The token must match; and where the browser says who sent the form, it must have been this origin. */
function isFromOurForm(
  request: FastifyRequest,
  form: URLSearchParams,
  expectedToken: string | undefined,
): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  return !!expectedToken && matches(form.get('formToken') ?? '', fingerprint(expectedToken));
}

export function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(page);
}
