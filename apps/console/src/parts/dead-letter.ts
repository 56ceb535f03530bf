import type { LetterRow } from '../reads/dead-letters.js';
import { type Html, html, NOTHING } from './html.js';
import { canOperate, type PageContext } from './page-context.js';
import { postButton } from './post-button.js';

export function letterState(row: LetterRow): 'open' | 'redriving' | 'redriven' | 'dismissed' {
  if (row.redrivenAt !== null) return 'redriven';
  if (row.dismissedAt !== null) return 'dismissed';
  return row.redriveRequestedAt === null ? 'open' : 'redriving';
}

/** Empty for a closed letter, and for people who may only look. */
export function letterActions(context: PageContext, row: LetterRow): Html {
  const { t } = context;
  const isOpen = letterState(row) === 'open' || letterState(row) === 'redriving';
  if (!canOperate(context) || !isOpen) return NOTHING;
  return html`<div class="actions">${postButton(context, `/dead-letters/${row.id}/redrive`, t('deadLetters.redrive'))}
<a class="button" href="/dead-letters/${row.id}/dismiss">${t('deadLetters.dismiss')}</a></div>`;
}
