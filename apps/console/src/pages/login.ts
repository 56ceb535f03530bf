import { html, NOTHING } from './html.js';
import { layout } from './layout.js';
import type { PageContext } from './page-context.js';

/** @param message why the last attempt failed; null for the first */
export function loginPage(context: PageContext, formToken: string, message: string | null): string {
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
