import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { logOf } from '../api/request-log.js';
import { type CheckLogin, randomToken } from '../auth/secrets.js';
import type { Sessions } from '../auth/sessions.js';
import { html, NOTHING } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import { contextOf, type PageContext, sendPage } from '../parts/page-context.js';
import type { CookieNames } from '../plugins/auth.js';
import { formOf, isFromOurForm, takeForms } from '../plugins/forms.js';
import { oldForm, sendRefusal } from '../plugins/page-errors.js';
import { cookieOptions } from '../plugins/session-user.js';

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
  const context = contextOf(request);
  reply.setCookie(cookies.login, formToken, cookieOptions(https));
  return sendPage(reply.code(status), loginPage(context, formToken, message && context.t(message)));
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
    logOf(request).warn({ address: request.ip }, 'login.rejected');
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
  logOf(request).info({ address: request.ip }, 'login.accepted');
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

/** @param message why the last attempt failed; null for the first */
function loginPage(context: PageContext, formToken: string, message: string | null): string {
  const { t } = context;
  return layout(
    context,
    { title: t('login.title') },
    html`<h1>${t('login.heading')}</h1>
${message === null ? NOTHING : html`<p class="message bad" role="alert">${message}</p>`}
<form class="card stack" method="post" action="/login">
<input type="hidden" name="formToken" value="${formToken}">
<label for="user">${t('login.user')}</label>
<input id="user" name="user" autocomplete="username" autocapitalize="none" required maxlength="64" autofocus>
<label for="password">${t('login.password')}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024">
<button class="primary">${t('login.submit')}</button>
</form>`,
  );
}
