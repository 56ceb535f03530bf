import { type Html, html, NOTHING } from '../html.js';
import { canOperate, type View } from '../view.js';

/** One button that does something and comes back to this page; nothing for those who may only look. */
export function postButton(view: View, action: string, words: string): Html {
  const { session, address } = view;
  if (session === null || !canOperate(view)) return NOTHING;
  return html`<form method="post" action="${action}"><input type="hidden" name="formToken" value="${session.formToken}"><input type="hidden" name="back" value="${address}"><button>${words}</button></form>`;
}
