import { html, NOTHING } from './html.js';
import { layout } from './layout.js';

/** @param message why the last attempt did not work; null for the first */
export function loginPage(formToken: string, message: string | null): string {
  return layout(
    'Log in',
    html`<h1>payonce console</h1>
${message === null ? NOTHING : html`<p class="message" role="alert">${message}</p>`}
<form class="card" method="post" action="/login">
<input type="hidden" name="formToken" value="${formToken}">
<label for="user">User</label>
<input id="user" name="user" autocomplete="username" autocapitalize="none" required maxlength="64" autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024">
<button>Log in</button>
</form>`,
  );
}
