import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { ORDER_STATUSES } from '@payonce/orders/orders/order';
import type { TypedApp } from '../api/typed-app.js';
import { badge, wordFor } from '../parts/badge.js';
import { filters } from '../parts/filters.js';
import { html } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import { orderLink } from '../parts/links.js';
import { money } from '../parts/money.js';
import { contextOf, type PageContext, sendPage } from '../parts/page-context.js';
import { pager } from '../parts/pager.js';
import { choiceIn, cursorIn, ROWS_PER_PAGE, textIn } from '../parts/query.js';
import { type Column, table } from '../parts/table.js';
import { time } from '../parts/time.js';
import { merchantsOf } from '../plugins/merchants.js';
import type { OrderRow } from '../reads/held-events.js';
import { readOrders } from '../reads/orders.js';

export async function ordersPageRoutes(app: TypedApp, { prisma }: DatabaseDeps): Promise<void> {
  app.get('/orders', { config: { merchants: 'listed' } }, async (request, reply) => {
    const query = {
      search: textIn(request, 'search'),
      status: choiceIn(request, 'status', ORDER_STATUSES),
      merchant: textIn(request, 'merchant'),
      cursor: cursorIn(request),
    };
    const attentionOnly = textIn(request, 'attention') === 'only';
    const attention = attentionOnly ? 'any' : undefined;
    const page = await readOrders(
      prisma,
      merchantsOf(request),
      { ...query, attention },
      ROWS_PER_PAGE,
    );
    return sendPage(reply, ordersPage(contextOf(request), { ...query, attentionOnly }, page));
  });
}

function ordersPage(
  context: PageContext,
  query: {
    readonly search: string;
    readonly status: string;
    readonly merchant: string;
    readonly attentionOnly: boolean;
  },
  { rows, nextCursor }: { readonly rows: readonly OrderRow[]; readonly nextCursor: string | null },
): string {
  const { t } = context;
  const statuses = ORDER_STATUSES.map((one) => [one, wordFor(context, 'order', one)] as const);
  const attention = query.attentionOnly ? 'only' : '';
  const isFiltered = query.search || query.status || query.merchant || query.attentionOnly;
  return layout(
    context,
    { title: t('nav.orders'), under: '/orders' },
    html`<h1>${t('nav.orders')}</h1>
<p class="muted">${t('orders.intro')}</p>
${filters(context, '/orders', [
  { name: 'search', label: t('orders.search'), value: query.search },
  { name: 'status', label: t('status'), value: query.status, choices: statuses },
  {
    name: 'attention',
    label: t('orders.attention'),
    value: attention,
    choices: [['only', t('orders.attentionOnly')]],
  },
  { name: 'merchant', label: t('merchant'), value: query.merchant },
])}
${table(
  {
    caption: t('nav.orders'),
    empty: html`${isFiltered ? t('empty.filtered') : t('orders.none')}`,
  },
  columns(context),
  rows,
)}
${pager(context, nextCursor)}`,
  );
}

function columns(context: PageContext): Column<OrderRow>[] {
  const { t } = context;
  return [
    {
      title: t('orderNumber'),
      cell: ({ merchant, number }) =>
        html`${orderLink(merchant, number)}<div class="hint">${merchant}</div>`,
    },
    {
      title: t('status'),
      cell: ({ status, attention }) =>
        html`${badge(context, 'order', status)} ${attention.map((flag) => badge(context, 'attention', flag))}`,
    },
    { title: t('due'), cell: ({ amount, currency }) => money(amount, currency) },
    { title: t('orders.paid'), cell: ({ paidAmount, currency }) => money(paidAmount, currency) },
    {
      title: t('orders.refunded'),
      cell: ({ refundedAmount, currency }) => money(refundedAmount, currency),
    },
    { title: t('orders.registered'), cell: ({ createdAt }) => time(createdAt) },
  ];
}
