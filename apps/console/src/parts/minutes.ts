import type { Minute } from '../schemas/stats.js';
import { type Html, html } from './html.js';
import type { PageContext } from './page-context.js';
import { time } from './time.js';

const SERIES = ['received', 'applied', 'held', 'refused'] as const;

/** The last hour: a chart that a script draws from the table, and the table itself on demand. */
export function chart(context: PageContext, minutes: readonly Minute[]): Html {
  const { t } = context;
  return html`<h2>${t('overview.perMinute')}</h2>
<figure class="card"><div id="chart" role="img" aria-label="${t('overview.chart')}" data-table="#minutes table" data-time="${t('when')}"></div>
<details><summary>${t('overview.asTable')}</summary><div id="minutes" data-live>${tableOf(context, minutes)}</div></details></figure>`;
}

function tableOf({ t }: PageContext, minutes: readonly Minute[]): Html {
  const head = SERIES.map((name) => html`<th scope="col">${t(`minute.${name}`)}</th>`);
  const rows = minutes.map(
    (row) =>
      html`<tr><th scope="row">${time(row.minute)}</th>${SERIES.map((name) => html`<td>${row[name]}</td>`)}</tr>\n`,
  );
  return html`<table><caption class="hidden-text">${t('overview.chart')}</caption>
<thead><tr><th scope="col">${t('when')}</th>${head}</tr></thead><tbody>${rows}</tbody></table>`;
}
