import { type Html, html, NOTHING } from '../html.js';
import { canOperate, type PageContext } from '../page-context.js';
import { postButton } from './post-button.js';

/** A person's actions on one held event; empty for people who may only look. */
export function heldActions(
  context: PageContext,
  notification: bigint | string,
  position: number,
): Html {
  const { t } = context;
  if (!canOperate(context)) return NOTHING;
  const path = `/held/${notification}/${position}`;
  return html`<div class="actions">${postButton(context, `${path}/retry`, t('held.retry'))}
<a class="button" href="${path}/accept">${t('held.accept')}</a>
<a class="button" href="${path}/reject">${t('held.reject')}</a>
</div>`;
}
