import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { HOLD_REASONS } from '@payonce/orders/database/hold-reason';
import { retryEvent } from '@payonce/orders/notifications/held/operator';
import { z } from 'zod';
import type { TypedApp } from '../api/typed-app.js';
import { badge, wordFor } from '../parts/badge.js';
import { saidBy } from '../parts/event.js';
import { filters } from '../parts/filters.js';
import { flashOf, heldActions } from '../parts/held-actions.js';
import { html } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import { notificationLink, orderLink } from '../parts/links.js';
import { money } from '../parts/money.js';
import { contextOf, type PageContext, sendPage, sessionOf } from '../parts/page-context.js';
import { pager } from '../parts/pager.js';
import { choiceIn, cursorIn, localPath, ROWS_PER_PAGE, textIn } from '../parts/query.js';
import { type Column, table } from '../parts/table.js';
import { time } from '../parts/time.js';
import { formOf } from '../plugins/forms.js';
import { merchantsOf } from '../plugins/merchants.js';
import { sendRefusal } from '../plugins/page-errors.js';
import { heldToken } from '../reads/change-tokens.js';
import { type HeldEventRow, readHeldEventsWithOrders } from '../reads/held-events.js';
import { ofHeldEvent, unknownHeldEvent } from '../routes/held-event-actions.js';
import { position, rowId } from '../schemas/fields.js';

const retryRoute = {
  config: { access: 'session', role: 'operate', merchants: ofHeldEvent },
  schema: { params: z.object({ id: rowId, position }) },
} as const;

export async function heldPageRoutes(app: TypedApp, deps: DatabaseDeps): Promise<void> {
  const { prisma } = deps;

  const listed = { config: { merchants: 'listed' } } as const;

  app.get('/held', listed, async (request, reply) => {
    const query = {
      reason: choiceIn(request, 'reason', HOLD_REASONS),
      merchant: textIn(request, 'merchant'),
      channel: textIn(request, 'channel'),
      orderNumber: textIn(request, 'order'),
      cursor: cursorIn(request),
    };
    const merchants = merchantsOf(request);
    const page = await readHeldEventsWithOrders(prisma, merchants, query, ROWS_PER_PAGE);
    return sendPage(reply, heldPage(contextOf(request), query, page));
  });

  app.get('/held/change-token', listed, (request) => heldToken(prisma, merchantsOf(request)));

  app.post('/held/:id/:position/retry', retryRoute, async (request, reply) => {
    const { id: notification, position } = request.params;
    const command = { actor: sessionOf(request).user, reason: null, notification, position };
    const outcome = await retryEvent(deps, command);
    if (outcome.result === 'unknown_event') return sendRefusal(request, reply, unknownHeldEvent);
    sessionOf(request).flash = flashOf(contextOf(request), outcome, 'retry');
    return reply.redirect(localPath(formOf(request).get('back'), '/held'), 303);
  });
}

/** All events that wait for a person, with the reasons. */
function heldPage(
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
    { title: t('nav.held'), under: '/held', live: true },
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
