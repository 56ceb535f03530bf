import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type CheckLogin, randomToken } from '../auth/secrets.js';
import type { Sessions } from '../auth/sessions.js';
import { loginPage } from '../pages/login.js';
import { sendPage, viewOf } from '../pages/view.js';
import type { CookieNames } from '../plugins/auth.js';
import { formOf, isFromOurForm, takeForms } from '../plugins/forms.js';
import { oldForm, sendRefusal } from '../plugins/page-errors.js';
import { cookieOptions } from '../plugins/people.js';

export interface LoginOptions {
  readonly checkLogin: CheckLogin;
  readonly sessions: Sessions;
  readonly cookies: CookieNames;
  readonly https: boolean;
}

/**
 * Attempts from one address, right or wrong: enough for a person who mistypes, too few for a
 * guesser.
 */
const MAX_ATTEMPTS = 10;
const ATTEMPT_WINDOW_MS = 10 * 60_000;
export async function loginRoutes(app: FastifyInstance, options: LoginOptions): Promise<void> {
  takeForms(app);
  const attempts = { max: MAX_ATTEMPTS, timeWindow: ATTEMPT_WINDOW_MS };

  app.get('/login', { config: { access: 'public' } }, (request, reply) =>
    showLogin(request, reply, options, 200, null),
  );

  app.post(
    '/login',
    {
      config: { access: 'public', rateLimit: attempts },
      errorHandler: (error, request, reply) => {
        if (error.statusCode === 429) {
          return showLogin(request, reply, options, 429, 'login.tooMany');
        }
        throw error;
      },
    },
    (request, reply) => logIn(request, reply, options),
  );

  app.post('/logout', { config: { merchants: 'none' } }, (request, reply) =>
    logOut(request, reply, options),
  );
}

/** A double-submitted token: the form must contain the value of a cookie of this origin. */
function showLogin(
  request: FastifyRequest,
  reply: FastifyReply,
  { cookies, https }: LoginOptions,
  status: number,
  message: 'login.wrong' | 'login.expired' | 'login.tooMany' | null,
): FastifyReply {
  const formToken = randomToken();
  const view = viewOf(request);
  reply.setCookie(cookies.login, formToken, cookieOptions(https));
  return sendPage(reply.code(status), loginPage(view, formToken, message && view.t(message)));
}

async function logIn(
  request: FastifyRequest,
  reply: FastifyReply,
  options: LoginOptions,
): Promise<FastifyReply> {
  const { checkLogin, sessions, cookies, https } = options;
  const form = formOf(request);
  if (!isFromOurForm(request, request.cookies[cookies.login])) {
    return showLogin(request, reply, options, 403, 'login.expired');
  }
  const user = form.get('user') ?? '';
  if (!(await checkLogin(user, form.get('password') ?? ''))) {
    request.log.warn({ address: request.ip }, 'login.rejected');
    return showLogin(request, reply, options, 401, 'login.wrong');
  }
  // Always a new ID: one that was planted before the login is worthless.
  sessions.end(request.cookies[cookies.session] ?? '');
  reply.clearCookie(cookies.login, cookieOptions(https));
  reply.setCookie(
    cookies.session,
    sessions.start({ user, role: 'admin', merchants: 'all', via: 'password' }),
    cookieOptions(https),
  );
  request.log.info({ address: request.ip }, 'login.accepted');
  return reply.redirect('/', 303);
}

async function logOut(
  request: FastifyRequest,
  reply: FastifyReply,
  { sessions, cookies, https }: LoginOptions,
): Promise<FastifyReply> {
  if (!isFromOurForm(request, request.session?.formToken)) {
    return sendRefusal(request, reply, oldForm);
  }
  sessions.end(request.cookies[cookies.session] ?? '');
  reply.clearCookie(cookies.session, cookieOptions(https));
  return reply.redirect('/login', 303);
}
