import { type Html, html, NOTHING } from './html.js';
import type { PageContext } from './page-context.js';

/** The form of a final action: a reason, and a way to cancel. */
export function reasonForm(
  { t, session }: PageContext,
  form: {
    readonly action: string;
    readonly hidden?: Html;
    readonly submit: Html;
    readonly cancel: string;
    /** The fault of the last form. */
    readonly fault: string | null;
  },
): Html {
  const { fault } = form;
  const about = fault === null ? NOTHING : html` aria-describedby="fault" aria-invalid="true"`;
  return html`<form class="card stack" method="post" action="${form.action}">
<input type="hidden" name="formToken" value="${session?.formToken ?? ''}">${form.hidden ?? NOTHING}
<label for="reason">${t('decide.reason')}</label>
${fault === null ? NOTHING : html`<p class="message bad" id="fault" role="alert">${fault}</p>`}
<textarea id="reason" name="reason" required maxlength="500"${about}></textarea>
<div class="actions">${form.submit} <a class="button" href="${form.cancel}">${t('decide.cancel')}</a></div>
</form>`;
}
