import type { DatabaseDeps } from '@payonce/orders/database/deps';
import type { TypedApp } from '../api/typed-app.js';
import { wordFor } from '../parts/badge.js';
import { aboutOf, deliveryState, redeliverButton } from '../parts/delivery.js';
import { filters } from '../parts/filters.js';
import { html } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import { contextOf, type PageContext, sendPage } from '../parts/page-context.js';
import { pager } from '../parts/pager.js';
import { choiceIn, cursorIn, ROWS_PER_PAGE, textIn } from '../parts/query.js';
import { type Column, table } from '../parts/table.js';
import { time } from '../parts/time.js';
import { merchantsOf } from '../plugins/merchants.js';
import { DELIVERY_STATES, type DeliveryRow, readDeliveries } from '../reads/deliveries.js';

export async function deliveriesPageRoutes(app: TypedApp, deps: DatabaseDeps): Promise<void> {
  app.get('/deliveries', { config: { merchants: 'listed' } }, async (request, reply) => {
    const query = {
      state: choiceIn(request, 'state', DELIVERY_STATES),
      endpointName: textIn(request, 'endpoint'),
      orderNumber: textIn(request, 'order'),
      cursor: cursorIn(request),
    };
    const page = await readDeliveries(deps.prisma, merchantsOf(request), query, ROWS_PER_PAGE);
    return sendPage(reply, deliveriesPage(contextOf(request), query, page));
  });
}

function deliveriesPage(
  context: PageContext,
  query: { readonly state: string; readonly endpointName: string; readonly orderNumber: string },
  page: { readonly rows: readonly DeliveryRow[]; readonly nextCursor: string | null },
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

function columns(context: PageContext): Column<DeliveryRow>[] {
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
    { title: t('status'), cell: (row) => deliveryState(context, row) },
    { title: t('deliveries.attempts'), cell: ({ attempts }) => html`${attempts}` },
    {
      title: t('deliveries.nextOrDone'),
      cell: ({ state, deliveredAt, nextAttemptAt }) =>
        state === 'parked' ? html`–` : time(deliveredAt ?? nextAttemptAt),
    },
    { title: t('held.actions'), cell: (row) => redeliverButton(context, row) },
  ];
}
