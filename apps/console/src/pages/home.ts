import type { Session } from '../auth/sessions.js';
import { html } from './html.js';
import { layout } from './layout.js';

export function homePage(session: Session): string {
  return layout(
    'Console',
    html`<header>
<h1>payonce console</h1>
<form method="post" action="/logout">
<input type="hidden" name="formToken" value="${session.formToken}">
<button>Log out ${session.user}</button>
</form>
</header>
<p><a href="/queues">Queues</a>: what is waiting and what was done, read-only, with payer IDs and signatures masked.</p>
<p>Orders and notifications are served by the private API below <code>/v1</code>, with a bearer key.</p>`,
  );
}
