import { DEAD_LETTER_REASONS } from '@payonce/core/notifications/dead-letters';
import { LETTER_STATES, type LetterQuery, type LetterRow } from '../reads/dead-letter-list.js';
import { type Html, html, NOTHING } from './html.js';
import { layout } from './layout.js';
import { canOperate, type PageContext } from './page-context.js';
import { badge, wordFor } from './parts/badge.js';
import { filters } from './parts/filters.js';
import { pager } from './parts/pager.js';
import { postButton } from './parts/post-button.js';
import { type Column, table } from './parts/table.js';
import { time } from './parts/time.js';

export function deadLettersPage(
  context: PageContext,
  query: LetterQuery,
  page: { readonly rows: readonly LetterRow[]; readonly nextCursor: string | null },
): string {
  const { t } = context;
  const states = LETTER_STATES.map((one) => [one, wordFor(context, 'letter', one)] as const);
  const reasons = DEAD_LETTER_REASONS.map((one) => [one, wordFor(context, 'dead', one)] as const);
  return layout(
    context,
    { title: t('nav.deadLetters'), under: '/dead-letters' },
    html`<h1>${t('nav.deadLetters')}</h1>
<p class="muted">${t('deadLetters.intro')}</p>
${filters(context, '/dead-letters', [
  { name: 'state', label: t('deadLetters.state'), value: query.state, choices: states },
  { name: 'reason', label: t('reason'), value: query.reason, choices: reasons },
])}
${table(
  {
    caption: t('nav.deadLetters'),
    empty: html`${query.state || query.reason ? t('empty.filtered') : t('deadLetters.none')}`,
  },
  columns(context),
  page.rows,
)}
${pager(context, page.nextCursor)}`,
  );
}

function columns(context: PageContext): Column<LetterRow>[] {
  const { t } = context;
  return [
    {
      title: t('deadLetters.jobId'),
      cell: ({ id, jobId }) => html`<a class="mono" href="/dead-letters/${id}">${jobId}</a>`,
    },
    { title: t('deadLetters.state'), cell: (row) => badge(context, 'letter', stateOf(row)) },
    {
      title: t('reason'),
      cell: ({ reason }) =>
        html`${wordFor(context, 'dead', reason)}<div class="hint">${wordFor(context, 'dead', `${reason}.do`)}</div>`,
    },
    { title: t('deadLetters.deaths'), cell: ({ deaths }) => html`${deaths}` },
    { title: t('deadLetters.last'), cell: ({ lastAt }) => time(lastAt) },
    { title: t('held.actions'), cell: (row) => letterActions(context, row) },
  ];
}

export function stateOf(row: LetterRow): 'open' | 'redriving' | 'redriven' | 'dismissed' {
  if (row.redrivenAt !== null) return 'redriven';
  if (row.dismissedAt !== null) return 'dismissed';
  return row.redriveRequestedAt === null ? 'open' : 'redriving';
}

/** Empty for a closed letter, and for people who may only look. */
export function letterActions(context: PageContext, row: LetterRow): Html {
  const { t } = context;
  const isOpen = stateOf(row) === 'open' || stateOf(row) === 'redriving';
  if (!canOperate(context) || !isOpen) return NOTHING;
  return html`<div class="actions">${postButton(context, `/dead-letters/${row.id}/redrive`, t('deadLetters.redrive'))}
<a class="button" href="/dead-letters/${row.id}/dismiss">${t('deadLetters.dismiss')}</a></div>`;
}
