import { type Html, html, NOTHING } from '../html.js';
import { canOperate, type View } from '../view.js';
import { postButton } from './post-button.js';

/** A person's actions on one held event; empty for people who may only look. */
export function heldActions(view: View, notification: bigint | string, position: number): Html {
  const { t } = view;
  if (!canOperate(view)) return NOTHING;
  const path = `/held/${notification}/${position}`;
  return html`<div class="actions">${postButton(view, `${path}/retry`, t('held.retry'))}
<a class="button" href="${path}/accept">${t('held.accept')}</a>
<a class="button" href="${path}/reject">${t('held.reject')}</a>
</div>`;
}
