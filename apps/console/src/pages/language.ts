import type { FastifyInstance } from 'fastify';
import { LANGUAGES } from '../i18n/translate.js';
import { LANGUAGE_COOKIE } from '../parts/page-context.js';
import { localPath } from '../parts/query.js';
import { formOf } from '../plugins/forms.js';

const YEAR_SECONDS = 365 * 24 * 60 * 60;

/** The switch on every page, including the login: it changes only the language for this browser. */
export async function languageRoute(app: FastifyInstance): Promise<void> {
  app.post('/language', { config: { access: 'public' } }, (request, reply) => {
    const form = formOf(request);
    const language = LANGUAGES.find((one) => one === form.get('language'));
    if (language !== undefined) {
      const cookie = {
        path: '/',
        httpOnly: true,
        sameSite: 'strict',
        maxAge: YEAR_SECONDS,
      } as const;
      reply.setCookie(LANGUAGE_COOKIE, language, cookie);
    }
    return reply.redirect(localPath(form.get('back'), '/'), 303);
  });
}
