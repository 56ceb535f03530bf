import { DELIVERY_STATES } from '../api/delivery-views.js';
import type { DeliveryListRow } from '../reads/delivery-list.js';
import { type Html, html, NOTHING } from './html.js';
import { layout } from './layout.js';
import type { PageContext } from './page-context.js';
import { badge, wordFor } from './parts/badge.js';
import { filters } from './parts/filters.js';
import { notificationLink, orderLink } from './parts/links.js';
import { pager } from './parts/pager.js';
import { postButton } from './parts/post-button.js';
import { type Column, table } from './parts/table.js';
import { time } from './parts/time.js';

export function deliveriesPage(
  context: PageContext,
  query: { readonly state: string; readonly endpointName: string; readonly orderNumber: string },
  page: { readonly rows: readonly DeliveryListRow[]; readonly nextCursor: string | null },
): string {
  const { t } = context;
  const states = DELIVERY_STATES.map((one) => [one, wordFor(context, 'delivery', one)] as const);
  const isFiltered = query.state || query.endpointName || query.orderNumber;
  return layout(
    context,
    { title: t('nav.deliveries'), under: '/deliveries' },
    html`<h1>${t('nav.deliveries')}</h1>
<p class="muted">${t('deliveries.intro')}</p>
${filters(context, '/deliveries', [
  { name: 'state', label: t('status'), value: query.state, choices: states },
  { name: 'order', label: t('orderNumber'), value: query.orderNumber },
  { name: 'endpoint', label: t('deliveries.endpoint'), value: query.endpointName },
])}
${table(
  {
    caption: t('nav.deliveries'),
    empty: html`${isFiltered ? t('empty.filtered') : t('deliveries.none')}`,
  },
  columns(context),
  page.rows,
)}
${pager(context, page.nextCursor)}`,
  );
}

function columns(context: PageContext): Column<DeliveryListRow>[] {
  const { t } = context;
  return [
    {
      title: t('deliveries.event'),
      cell: ({ id, orderEvent }) =>
        html`<a href="/deliveries/${id}"><code>${orderEvent.type}</code></a>`,
    },
    { title: t('audit.about'), cell: ({ orderEvent }) => aboutOf(orderEvent) },
    {
      title: t('deliveries.endpoint'),
      cell: ({ endpoint }) => html`${endpoint.name}<div class="hint">${endpoint.merchant}</div>`,
    },
    { title: t('status'), cell: (row) => stateOf(context, row) },
    { title: t('deliveries.attempts'), cell: ({ attempts }) => html`${attempts}` },
    {
      title: t('deliveries.nextOrDone'),
      cell: ({ state, deliveredAt, nextAttemptAt }) =>
        state === 'parked' ? html`–` : time(deliveredAt ?? nextAttemptAt),
    },
    { title: t('held.actions'), cell: (row) => redeliverButton(context, row) },
  ];
}

/** The order, or the held notification. */
export function aboutOf({ order, notificationEvent }: DeliveryListRow['orderEvent']): Html {
  if (order !== null) return orderLink(order.merchant, order.number);
  return notificationEvent === null
    ? html`–`
    : notificationLink(notificationEvent.notificationRowId);
}

export function stateOf(
  context: PageContext,
  row: Pick<DeliveryListRow, 'state' | 'parkedReason'>,
): Html {
  const why = row.parkedReason;
  return html`${badge(context, 'delivery', row.state)}
${why === null ? NOTHING : html`<div class="hint">${wordFor(context, 'parked', why)}</div>`}`;
}

/** Nothing is sent to a disabled endpoint. */
export function redeliverButton(context: PageContext, { id, endpoint }: DeliveryListRow): Html {
  if (endpoint.disabledAt !== null) return NOTHING;
  return postButton(context, `/deliveries/${id}/redeliver`, context.t('deliveries.redeliver'));
}
