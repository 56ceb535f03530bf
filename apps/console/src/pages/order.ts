import type { DatabaseDeps } from '@payonce/orders/database/deps';
import type { OrderTrade } from '@payonce/orders/orders/order-trades';
import { z } from 'zod';
import type { TypedApp } from '../api/typed-app.js';
import { badge, wordFor } from '../parts/badge.js';
import { copiesOf } from '../parts/copies.js';
import { facts } from '../parts/facts.js';
import { type Html, html, NOTHING } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import { exactMoney, money } from '../parts/money.js';
import { contextOf, type PageContext, sendPage } from '../parts/page-context.js';
import { time } from '../parts/time.js';
import { timeline } from '../parts/timeline.js';
import { orderTrades } from '../parts/trades.js';
import { sendRefusal } from '../plugins/page-errors.js';
import { orderToken } from '../reads/change-tokens.js';
import type { OrderRow } from '../reads/held-events.js';
import { readOrderWithTimeline } from '../reads/order.js';
import { ofOrder, unknownOrder } from '../routes/orders.js';
import { merchant, orderNumber } from '../schemas/fields.js';
import type { Timeline } from '../schemas/timeline.js';

const params = z.object({ merchant, number: orderNumber });

export async function orderPageRoutes(app: TypedApp, { prisma }: DatabaseDeps): Promise<void> {
  const one = { config: { merchants: ofOrder }, schema: { params } };
  app.get('/orders/:merchant/:number', one, async (request, reply) => {
    const found = await readOrderWithTimeline(prisma, request.params);
    if (found === null) return sendRefusal(request, reply, unknownOrder);
    return sendPage(
      reply,
      orderPage(contextOf(request), found.order, found.timeline, found.trades),
    );
  });
  app.get('/orders/:merchant/:number/change-token', one, (request) =>
    orderToken(prisma, request.params),
  );
}

/** One order with its history; while the page is open, it shows changes. */
function orderPage(
  context: PageContext,
  order: OrderRow,
  history: Timeline,
  trades: readonly OrderTrade[],
): string {
  const { t } = context;
  const { amount, currency, primaryTrade } = order;
  return layout(
    context,
    {
      title: `${t('order')} ${order.number}`,
      under: '/orders',
      live: true,
    },
    html`<h1>${t('order')} <span class="mono">${order.number}</span></h1>
<div id="state" data-live aria-live="polite"><p>${badge(context, 'order', order.status)} ${order.attention.map((flag) => badge(context, 'attention', flag))}</p></div>
<div id="order" data-live>
${lookAt(context, order)}
<div class="card">${facts([
      [t('due'), exactMoney(context, amount, currency)],
      [t('orders.paid'), money(order.paidAmount, currency)],
      [t('orders.refunded'), money(order.refundedAmount, currency)],
      [t('orders.paidAt'), order.paidAt && time(order.paidAt)],
      [
        t('orders.trade'),
        primaryTrade === null ? null : html`<span class="mono">${primaryTrade}</span>`,
      ],
      [t('merchant'), html`${order.merchant}`],
      [t('orders.registered'), time(order.createdAt)],
      [t('orders.version'), html`${order.version}`],
    ])}</div>
${trades.length === 0 ? NOTHING : html`<h2>${t('trades.title')}</h2>${orderTrades(context, order, trades)}`}
<h2>${t('orders.notifications')}</h2>
${copiesOf(context, history.notifications)}
<h2>${t('orders.timeline')}</h2>
${history.truncated.length === 0 ? NOTHING : html`<p class="message warn">${t('orders.truncated')}</p>`}
${timeline(context, history.entries)}
</div>`,
  );
}

function lookAt(context: PageContext, { attention }: OrderRow): Html {
  const flags = attention.map(
    (flag) =>
      html`<p class="message warn"><b>${wordFor(context, 'attention', flag)}</b> ${context.t('sentence', { text: wordFor(context, 'attention', `${flag}.do`) })}</p>`,
  );
  return html`${flags}`;
}
