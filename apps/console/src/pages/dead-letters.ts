import { DEAD_LETTER_REASONS } from '@payonce/orders/notifications/dead-letter';
import { LETTER_STATES, type LetterQuery, type LetterRow } from '../reads/dead-letter-list.js';
import { type Html, html, NOTHING } from './html.js';
import { layout } from './layout.js';
import { badge, wordFor } from './parts/badge.js';
import { filters } from './parts/filters.js';
import { pager } from './parts/pager.js';
import { postButton } from './parts/post-button.js';
import { type Column, table } from './parts/table.js';
import { time } from './parts/time.js';
import { canOperate, type View } from './view.js';

export function deadLettersPage(
  view: View,
  query: LetterQuery,
  page: { readonly rows: readonly LetterRow[]; readonly nextCursor: string | null },
): string {
  const { t } = view;
  const states = LETTER_STATES.map((one) => [one, wordFor(view, 'letter', one)] as const);
  const reasons = DEAD_LETTER_REASONS.map((one) => [one, wordFor(view, 'dead', one)] as const);
  return layout(
    view,
    { title: t('nav.deadLetters'), under: '/dead-letters' },
    html`<h1>${t('nav.deadLetters')}</h1>
<p class="muted">${t('deadLetters.intro')}</p>
${filters(view, '/dead-letters', [
  { name: 'state', label: t('deadLetters.state'), value: query.state, choices: states },
  { name: 'reason', label: t('reason'), value: query.reason, choices: reasons },
])}
${table(
  {
    caption: t('nav.deadLetters'),
    empty: html`${query.state || query.reason ? t('empty.filtered') : t('deadLetters.none')}`,
  },
  columns(view),
  page.rows,
)}
${pager(view, page.nextCursor)}`,
  );
}

function columns(view: View): Column<LetterRow>[] {
  const { t } = view;
  return [
    {
      title: t('deadLetters.jobId'),
      cell: ({ id, jobId }) => html`<a class="mono" href="/dead-letters/${id}">${jobId}</a>`,
    },
    { title: t('deadLetters.state'), cell: (row) => badge(view, 'letter', stateOf(row)) },
    {
      title: t('reason'),
      cell: ({ reason }) =>
        html`${wordFor(view, 'dead', reason)}<div class="hint">${wordFor(view, 'dead', `${reason}.do`)}</div>`,
    },
    { title: t('deadLetters.deaths'), cell: ({ deaths }) => html`${deaths}` },
    { title: t('deadLetters.last'), cell: ({ lastAt }) => time(lastAt) },
    { title: t('held.actions'), cell: (row) => letterActions(view, row) },
  ];
}

export function stateOf(row: LetterRow): 'open' | 'redriving' | 'redriven' | 'dismissed' {
  if (row.redrivenAt !== null) return 'redriven';
  if (row.dismissedAt !== null) return 'dismissed';
  return row.redriveRequestedAt === null ? 'open' : 'redriving';
}

/** Empty for a closed letter, and for people who may only look. */
export function letterActions(view: View, row: LetterRow): Html {
  const { t } = view;
  const isOpen = stateOf(row) === 'open' || stateOf(row) === 'redriving';
  if (!canOperate(view) || !isOpen) return NOTHING;
  return html`<div class="actions">${postButton(view, `/dead-letters/${row.id}/redrive`, t('deadLetters.redrive'))}
<a class="button" href="/dead-letters/${row.id}/dismiss">${t('deadLetters.dismiss')}</a></div>`;
}
