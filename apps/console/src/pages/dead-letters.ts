import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { DEAD_LETTER_REASONS } from '@payonce/orders/notifications/records/dead-letter';
import type { TypedApp } from '../api/typed-app.js';
import { badge, wordFor } from '../parts/badge.js';
import { letterActions, letterState } from '../parts/dead-letter.js';
import { filters } from '../parts/filters.js';
import { html } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import { contextOf, type PageContext, sendPage } from '../parts/page-context.js';
import { pager } from '../parts/pager.js';
import { choiceIn, cursorIn, ROWS_PER_PAGE } from '../parts/query.js';
import { type Column, table } from '../parts/table.js';
import { time } from '../parts/time.js';
import {
  LETTER_STATES,
  type LetterQuery,
  type LetterRow,
  readDeadLetters,
} from '../reads/dead-letters.js';

export async function deadLettersPageRoutes(app: TypedApp, deps: DatabaseDeps): Promise<void> {
  app.get('/dead-letters', { config: { merchants: 'all' } }, async (request, reply) => {
    const query = {
      state: choiceIn(request, 'state', LETTER_STATES),
      reason: choiceIn(request, 'reason', DEAD_LETTER_REASONS),
      cursor: cursorIn(request),
    };
    const page = await readDeadLetters(deps.prisma, query, ROWS_PER_PAGE);
    return sendPage(reply, deadLettersPage(contextOf(request), query, page));
  });
}

function deadLettersPage(
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
    { title: t('deadLetters.state'), cell: (row) => badge(context, 'letter', letterState(row)) },
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
