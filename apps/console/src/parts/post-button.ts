import { type Html, html, NOTHING } from './html.js';
import { canOperate, type PageContext } from './page-context.js';

/** A button with an action that returns to this page; empty for people who may only look. */
export function postButton(context: PageContext, action: string, words: string): Html {
  const { session, address } = context;
  if (session === null || !canOperate(context)) return NOTHING;
  return html`<form method="post" action="${action}"><input type="hidden" name="formToken" value="${session.formToken}"><input type="hidden" name="back" value="${address}"><button>${words}</button></form>`;
}
