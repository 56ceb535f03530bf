import { HOLD_REASONS } from '@payonce/core/notifications/notification';
import type { HeldEventRow } from '../reads/held-events.js';
import { html } from './html.js';
import { layout } from './layout.js';
import type { PageContext } from './page-context.js';
import { badge, wordFor } from './parts/badge.js';
import { saidBy } from './parts/event.js';
import { filters } from './parts/filters.js';
import { heldActions } from './parts/held-actions.js';
import { notificationLink, orderLink } from './parts/links.js';
import { money } from './parts/money.js';
import { pager } from './parts/pager.js';
import { type Column, table } from './parts/table.js';
import { time } from './parts/time.js';

/** All events that wait for a person, with the reasons. */
export function heldPage(
  context: PageContext,
  query: {
    readonly reason: string;
    readonly merchant: string;
    readonly channel: string;
    readonly orderNumber: string;
  },
  {
    rows,
    nextCursor,
  }: { readonly rows: readonly HeldEventRow[]; readonly nextCursor: string | null },
): string {
  const { t } = context;
  const reasons = HOLD_REASONS.map((reason) => [reason, wordFor(context, 'hold', reason)] as const);
  const isFiltered = query.reason || query.merchant || query.channel || query.orderNumber;
  return layout(
    context,
    { title: t('nav.held'), under: '/held', live: '/live?topic=held' },
    html`<h1>${t('nav.held')}</h1>
<p class="muted">${t('held.intro')}</p>
${filters(context, '/held', [
  { name: 'reason', label: t('reason'), value: query.reason, choices: reasons },
  { name: 'order', label: t('orderNumber'), value: query.orderNumber },
  { name: 'channel', label: t('channel'), value: query.channel },
  { name: 'merchant', label: t('merchant'), value: query.merchant },
])}
${table(
  {
    id: 'held',
    caption: t('nav.held'),
    empty: html`${isFiltered ? t('empty.filtered') : t('held.none')}`,
  },
  columns(context),
  rows,
)}
${pager(context, nextCursor)}`,
  );
}

function columns(context: PageContext): Column<HeldEventRow>[] {
  const { t } = context;
  return [
    { title: t('notification'), cell: (row) => notificationLink(row.notification.id) },
    {
      title: t('reason'),
      cell: ({ holdReason }) =>
        html`${badge(context, 'hold', holdReason ?? '')}
<div class="hint">${wordFor(context, 'hold', `${holdReason}.means`)}</div>`,
    },
    {
      title: t('order'),
      cell: ({ merchant, orderNumber, order }) =>
        orderNumber === null
          ? html`<span class="muted">${t('notifications.noOrder')}</span>`
          : html`${order === null ? html`<span class="mono">${orderNumber}</span>` : orderLink(merchant, orderNumber)}
<div class="hint">${merchant}</div>`,
    },
    { title: t('held.says'), cell: (row) => saidBy(context, row.event) },
    {
      title: t('due'),
      cell: ({ order }) => (order === null ? html`–` : money(order.amount, order.currency)),
    },
    {
      title: t('held.since'),
      cell: (row) =>
        html`${time(row.createdAt)}<div class="hint">${row.notification.channel}</div>`,
    },
    {
      title: t('held.actions'),
      cell: (row) => heldActions(context, row.notificationRowId, row.position),
    },
  ];
}
