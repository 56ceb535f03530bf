import { maskJobData } from '../masking/job.js';
import { maskText } from '../masking/text.js';
import type { LetterRow } from '../reads/dead-letter-list.js';
import { letterActions, stateOf } from './dead-letters.js';
import { html } from './html.js';
import { layout } from './layout.js';
import type { PageContext } from './page-context.js';
import { badge, wordFor } from './parts/badge.js';
import { facts } from './parts/facts.js';
import { reasonForm } from './parts/reason-form.js';
import { time } from './parts/time.js';

export function deadLetterPage(context: PageContext, row: LetterRow): string {
  const { t } = context;
  const title = t('deadLetters.title', { id: `#${row.id}` });
  return layout(
    context,
    { title, under: '/dead-letters' },
    html`<h1>${title}</h1>
<p>${badge(context, 'letter', stateOf(row))}</p>
<div class="card">${facts([
      [t('reason'), html`${wordFor(context, 'dead', row.reason)}`],
      [
        t('held.toDo'),
        html`${t('sentence', { text: wordFor(context, 'dead', `${row.reason}.do`) })}`,
      ],
      [
        t('deadLetters.error'),
        row.error === null ? null : html`<code>${maskText(row.error)}</code>`,
      ],
      [t('deadLetters.deaths'), html`${row.deaths}`],
      [t('deadLetters.last'), time(row.lastAt)],
      [t('deadLetters.queue'), html`${row.queue}`],
      [t('deadLetters.jobId'), html`<span class="mono">${row.jobId}</span>`],
    ])}
${letterActions(context, row)}</div>
<h2>${t('deadLetters.job')}</h2>
<pre tabindex="0">${JSON.stringify(maskJobData(row.job), null, 2)}</pre>`,
  );
}

/** The page before a letter is dismissed. @param fault the fault of the last form */
export function dismissPage(context: PageContext, row: LetterRow, fault: string | null): string {
  const { t } = context;
  const title = t('deadLetters.dismiss.title');
  return layout(
    context,
    { title, under: '/dead-letters' },
    html`<h1>${title}</h1>
<p class="mono">${row.jobId}</p>
<h2>${t('decide.willHappen')}</h2>
<p>${t('deadLetters.dismiss.happens')}</p>
${reasonForm(context, {
  action: `/dead-letters/${row.id}/dismiss`,
  submit: html`<button class="danger">${t('deadLetters.dismiss.submit')}</button>`,
  cancel: `/dead-letters/${row.id}`,
  fault,
})}`,
  );
}
