import type { OrderTrade } from '@payonce/orders/orders/order-trades';
import type { Timeline } from '../api/timeline-views.js';
import type { OrderRow } from '../reads/held-events.js';
import { type Html, html, NOTHING } from './html.js';
import { layout } from './layout.js';
import { badge, wordFor } from './parts/badge.js';
import { copiesOf } from './parts/copies.js';
import { facts } from './parts/facts.js';
import { exactMoney, money } from './parts/money.js';
import { time } from './parts/time.js';
import { timeline } from './parts/timeline.js';
import { orderTrades } from './parts/trades.js';
import type { View } from './view.js';

/** One order with its history; while the page is open, it shows changes. */
export function orderPage(
  view: View,
  order: OrderRow,
  history: Timeline,
  trades: readonly OrderTrade[],
): string {
  const { t } = view;
  const { amount, currency, primaryTrade } = order;
  return layout(
    view,
    {
      title: `${t('order')} ${order.number}`,
      under: '/orders',
      live: `/live?topic=order&id=${order.id}`,
    },
    html`<h1>${t('order')} <span class="mono">${order.number}</span></h1>
<div id="state" data-live aria-live="polite"><p>${badge(view, 'order', order.status)} ${order.attention.map((flag) => badge(view, 'attention', flag))}</p></div>
<div id="order" data-live>
${lookAt(view, order)}
<div class="card">${facts([
      [t('due'), exactMoney(view, amount, currency)],
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
${trades.length === 0 ? NOTHING : html`<h2>${t('trades.title')}</h2>${orderTrades(view, order, trades)}`}
<h2>${t('orders.notifications')}</h2>
${copiesOf(view, history.notifications)}
<h2>${t('orders.timeline')}</h2>
${history.truncated.length === 0 ? NOTHING : html`<p class="message warn">${t('orders.truncated')}</p>`}
${timeline(view, history.entries)}
</div>`,
  );
}

function lookAt(view: View, { attention }: OrderRow): Html {
  const flags = attention.map(
    (flag) =>
      html`<p class="message warn"><b>${wordFor(view, 'attention', flag)}</b> ${view.t('sentence', { text: wordFor(view, 'attention', `${flag}.do`) })}</p>`,
  );
  return html`${flags}`;
}
