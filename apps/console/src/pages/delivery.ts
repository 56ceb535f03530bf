import { maskText } from '../masking/text.js';
import type { DeliveryDetailRow } from '../reads/delivery-list.js';
import { aboutOf, redeliverButton, stateOf } from './deliveries.js';
import { type Html, html, NOTHING } from './html.js';
import { layout } from './layout.js';
import type { PageContext } from './page-context.js';
import { facts } from './parts/facts.js';
import { type Column, table } from './parts/table.js';
import { time } from './parts/time.js';

type Attempt = DeliveryDetailRow['history'][number];

/** One order event for one endpoint: what was sent, and each answer. */
export function deliveryPage(context: PageContext, row: DeliveryDetailRow): string {
  const { t } = context;
  const { orderEvent, endpoint } = row;
  const title = t('deliveries.title', { id: `#${row.id}` });
  return layout(
    context,
    { title, under: '/deliveries', live: `/live?topic=delivery&id=${row.id}` },
    html`<h1>${title}</h1>
<div id="delivery" data-live>
<div class="card">${facts([
      [t('status'), stateOf(context, row)],
      [t('deliveries.event'), html`<code>${orderEvent.type}</code>`],
      [t('audit.about'), aboutOf(orderEvent)],
      [
        t('deliveries.endpoint'),
        html`${endpoint.name} <span class="muted">${endpoint.merchant}</span>`,
      ],
      [t('deliveries.attempts'), html`${row.attempts}`],
      [t('deliveries.delivered'), row.deliveredAt && time(row.deliveredAt)],
      [t('deliveries.next'), row.state === 'pending' ? time(row.nextAttemptAt) : null],
    ])}
${redeliverButton(context, row)}</div>
<h2>${t('deliveries.attempts')}</h2>
${table({ caption: t('deliveries.attempts'), empty: html`${t('timeline.notSent')}` }, columns(context), row.history)}
</div>
<h2>${t('deliveries.payload')}</h2>
<pre tabindex="0">${JSON.stringify(orderEvent.payload, null, 2)}</pre>`,
  );
}

function columns({ t }: PageContext): Column<Attempt>[] {
  return [
    { title: t('when'), cell: ({ at }) => time(at) },
    { title: t('deliveries.answer'), cell: ({ status, error }) => answer(status, error) },
    { title: t('deliveries.took'), cell: ({ durationMs }) => html`${durationMs} ms` },
    {
      title: t('deliveries.response'),
      cell: ({ response }) =>
        response === null || response.length === 0
          ? html`–`
          : html`<pre tabindex="0">${maskText(Buffer.from(response).toString('utf8'))}</pre>`,
    },
  ];
}

function answer(status: number | null, error: string | null): Html {
  return html`${status === null ? NOTHING : html`<b>${status}</b> `}${error === null ? NOTHING : html`<code>${maskText(error)}</code>`}`;
}
