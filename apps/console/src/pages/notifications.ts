import type { DatabaseDeps } from '@payonce/orders/database/deps';
import type { TypedApp } from '../api/typed-app.js';
import { badge, wordFor } from '../parts/badge.js';
import { saidBy } from '../parts/event.js';
import { filters } from '../parts/filters.js';
import { html, NOTHING } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import { notificationLink } from '../parts/links.js';
import { contextOf, type PageContext, sendPage } from '../parts/page-context.js';
import { pager } from '../parts/pager.js';
import { choiceIn, cursorIn, ROWS_PER_PAGE, textIn } from '../parts/query.js';
import { type Column, table } from '../parts/table.js';
import { time } from '../parts/time.js';
import { merchantsOf } from '../plugins/merchants.js';
import { type NotificationRow, readNotifications } from '../reads/notifications.js';
import { OUTCOMES } from '../schemas/fields.js';

export async function notificationsPageRoutes(
  app: TypedApp,
  { prisma }: DatabaseDeps,
): Promise<void> {
  app.get('/notifications', { config: { merchants: 'listed' } }, async (request, reply) => {
    const query = {
      status: choiceIn(request, 'outcome', OUTCOMES),
      channel: textIn(request, 'channel'),
      orderNumber: textIn(request, 'order'),
      notificationId: textIn(request, 'notification'),
      cursor: cursorIn(request),
    };
    const page = await readNotifications(prisma, merchantsOf(request), query, ROWS_PER_PAGE);
    return sendPage(reply, notificationsPage(contextOf(request), query, page));
  });
}

function notificationsPage(
  context: PageContext,
  query: {
    readonly status: string;
    readonly channel: string;
    readonly orderNumber: string;
    readonly notificationId: string;
  },
  page: { readonly rows: readonly NotificationRow[]; readonly nextCursor: string | null },
): string {
  const { t } = context;
  const outcomes = OUTCOMES.map((one) => [one, wordFor(context, 'outcome', one)] as const);
  const isFiltered = query.status || query.channel || query.orderNumber || query.notificationId;
  return layout(
    context,
    { title: t('nav.notifications'), under: '/notifications' },
    html`<h1>${t('nav.notifications')}</h1>
<p class="muted">${t('notifications.intro')}</p>
${filters(context, '/notifications', [
  { name: 'outcome', label: t('status'), value: query.status, choices: outcomes },
  { name: 'order', label: t('orderNumber'), value: query.orderNumber },
  { name: 'notification', label: t('notifications.id'), value: query.notificationId },
  { name: 'channel', label: t('channel'), value: query.channel },
])}
${table(
  {
    caption: t('nav.notifications'),
    empty: html`${isFiltered ? t('empty.filtered') : t('notifications.none')}`,
  },
  columns(context),
  page.rows,
)}
${pager(context, page.nextCursor)}`,
  );
}

function columns(context: PageContext): Column<NotificationRow>[] {
  const { t } = context;
  return [
    { title: t('notification'), cell: ({ id }) => notificationLink(id) },
    {
      title: t('provider'),
      cell: ({ provider, channel }) =>
        html`${wordFor(context, 'provider', provider)}<div class="hint">${channel}</div>`,
    },
    {
      title: t('status'),
      cell: ({ status, events }) =>
        html`${badge(context, 'outcome', status)} ${events.map(({ holdReason }) =>
          holdReason === null ? NOTHING : badge(context, 'hold', holdReason),
        )}`,
    },
    {
      title: t('orderNumber'),
      cell: ({ events }) =>
        html`${events.map(({ orderNumber }) => html`<div class="mono">${orderNumber ?? '–'}</div>`)}`,
    },
    {
      title: t('held.says'),
      cell: ({ events }) => html`${events.map(({ event }) => saidBy(context, event))}`,
    },
    { title: t('notifications.copies'), cell: ({ received }) => html`${received}` },
    { title: t('when'), cell: ({ receivedAt }) => time(receivedAt) },
  ];
}
