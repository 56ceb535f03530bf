import type { HeldAction, OperatorOutcome } from '@payonce/orders/notifications/held/operator';
import type { Flash } from '../auth/sessions.js';
import { wordFor } from './badge.js';
import { type Html, html, NOTHING } from './html.js';
import { canOperate, type PageContext } from './page-context.js';
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

/** The result of an action, for the next page. */
export function flashOf(context: PageContext, outcome: OperatorOutcome, action: HeldAction): Flash {
  const { t } = context;
  switch (outcome.result) {
    case 'done':
      return {
        good: true,
        text: action === 'retry' ? evaluated(context, outcome) : t(`done.${action}ed`),
      };
    case 'not_held': {
      const word = wordFor(context, 'outcome', outcome.outcome);
      return { good: false, text: t('done.notHeld', { outcome: word }) };
    }
    case 'other_amount':
      return { good: false, text: t('done.otherAmount') };
    case 'refused':
      return {
        good: false,
        text: `${t('decide.notAcceptable')} ${wordFor(context, 'whyNot', outcome.why)}`,
      };
    case 'unknown_event':
      return { good: false, text: t('error.404') };
  }
}

function evaluated(context: PageContext, outcome: OperatorOutcome & { result: 'done' }): string {
  if (outcome.outcome === 'held') {
    return context.t('done.retriedHeld', { reason: wordFor(context, 'hold', outcome.reason) });
  }
  return context.t('done.retried', { outcome: wordFor(context, 'outcome', outcome.outcome) });
}
