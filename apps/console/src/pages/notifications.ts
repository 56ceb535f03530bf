import { OUTCOMES } from '../api/fields.js';
import type { NotificationRow } from '../reads/notification-list.js';
import { html, NOTHING } from './html.js';
import { layout } from './layout.js';
import { badge, wordFor } from './parts/badge.js';
import { saidBy } from './parts/event.js';
import { filters } from './parts/filters.js';
import { notificationLink } from './parts/links.js';
import { pager } from './parts/pager.js';
import { type Column, table } from './parts/table.js';
import { time } from './parts/time.js';
import type { View } from './view.js';

export function notificationsPage(
  view: View,
  query: {
    readonly status: string;
    readonly channel: string;
    readonly orderNumber: string;
    readonly notificationId: string;
  },
  page: { readonly rows: readonly NotificationRow[]; readonly nextCursor: string | null },
): string {
  const { t } = view;
  const outcomes = OUTCOMES.map((one) => [one, wordFor(view, 'outcome', one)] as const);
  const isFiltered = query.status || query.channel || query.orderNumber || query.notificationId;
  return layout(
    view,
    { title: t('nav.notifications'), under: '/notifications' },
    html`<h1>${t('nav.notifications')}</h1>
<p class="muted">${t('notifications.intro')}</p>
${filters(view, '/notifications', [
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
  columns(view),
  page.rows,
)}
${pager(view, page.nextCursor)}`,
  );
}

function columns(view: View): Column<NotificationRow>[] {
  const { t } = view;
  return [
    { title: t('notification'), cell: ({ id }) => notificationLink(id) },
    {
      title: t('provider'),
      cell: ({ provider, channel }) =>
        html`${wordFor(view, 'provider', provider)}<div class="hint">${channel}</div>`,
    },
    {
      title: t('status'),
      cell: ({ status, events }) =>
        html`${badge(view, 'outcome', status)} ${events.map(({ holdReason }) =>
          holdReason === null ? NOTHING : badge(view, 'hold', holdReason),
        )}`,
    },
    {
      title: t('orderNumber'),
      cell: ({ events }) =>
        html`${events.map(({ orderNumber }) => html`<div class="mono">${orderNumber ?? '–'}</div>`)}`,
    },
    {
      title: t('held.says'),
      cell: ({ events }) => html`${events.map(({ event }) => saidBy(view, event))}`,
    },
    { title: t('notifications.copies'), cell: ({ received }) => html`${received}` },
    { title: t('when'), cell: ({ receivedAt }) => time(receivedAt) },
  ];
}
