import type { TradeEffect } from '@payonce/orders/notifications/trade-outcome';
import type { TradeAction } from '@payonce/orders/notifications/trade-release';
import type { TradeName } from '@payonce/orders/orders/released';
import { type Html, html, NOTHING } from './html.js';
import { layout } from './layout.js';
import { badge, wordFor } from './parts/badge.js';
import { outcomeBadges } from './parts/event.js';
import { facts } from './parts/facts.js';
import { notificationLink, orderLink, orderPath } from './parts/links.js';
import { exactMoney, money } from './parts/money.js';
import { reasonForm } from './parts/reason-form.js';
import { tradePath } from './parts/trades.js';
import type { View } from './view.js';

interface Asked {
  readonly order: { readonly merchant: string; readonly number: string; readonly currency: string };
  readonly trade: TradeName;
  readonly action: TradeAction;
  readonly effect: TradeEffect;
  /** The fault of the last form. */
  readonly fault: string | null;
}

/** The page before a trade is released or reinstated: all effects, and a field for the reason. */
export function tradePage(view: View, { order, trade, action, effect, fault }: Asked): string {
  const { t } = view;
  const { merchant, number } = order;
  const title = t(`trades.${action}.title`);
  return layout(
    view,
    { title, under: '/orders' },
    html`<h1>${title}</h1>
<div class="card">${facts([
      [t('order'), orderLink(merchant, number)],
      [t('merchant'), html`${merchant}`],
      [
        t('orders.trade'),
        html`<span class="mono">${trade.trade}</span> <span class="hint">${trade.rail}</span>`,
      ],
    ])}</div>
<h2>${t('decide.willHappen')}</h2>
<p>${t(`trades.${action}.happens`)}</p>
<div class="card">${facts([
      [t('trades.before'), standing(view, order.currency, effect.before)],
      [t('trades.after'), standing(view, order.currency, effect.after)],
      [t('trades.owner'), owner(view, merchant, effect)],
      [t('trades.told'), orderEvents(view, effect)],
      [t('trades.held'), heldEvents(view, effect)],
    ])}</div>
${reasonForm(view, {
  action: `${tradePath(merchant, number, trade)}/${action}`,
  hidden: html`<input type="hidden" name="version" value="${effect.before.version}">`,
  submit: html`<button class="${action === 'release' ? 'danger' : 'primary'}">${t(`trades.${action}.submit`)}</button>`,
  cancel: orderPath(merchant, number),
  fault,
})}`,
  );
}

function standing(view: View, currency: string, state: TradeEffect['before']): Html {
  const { t } = view;
  const flags = state.attention.map((flag) => badge(view, 'attention', flag));
  return html`${badge(view, 'order', state.status)} ${flags}
<div>${t('orders.paid')} ${exactMoney(view, state.paidAmount, currency)}; ${t('orders.refunded')} ${money(state.refundedAmount, currency)}</div>`;
}

function owner({ t }: View, merchant: string, effect: TradeEffect): Html {
  if (effect.owner === null) return html`${t('trades.free')}`;
  return orderLink(merchant, effect.owner);
}

function orderEvents({ t }: View, effect: TradeEffect): Html {
  if (effect.orderEvents.length === 0) return html`${t('trades.nothing')}`;
  const lines = effect.orderEvents.map(
    ({ number, type }) => html`<div><code>${type}</code> <span class="mono">${number}</span></div>`,
  );
  return html`${lines}`;
}

function heldEvents(view: View, effect: TradeEffect): Html {
  if (effect.heldEvents.length === 0) return html`${view.t('trades.nothing')}`;
  const lines = effect.heldEvents.map(
    ({ notification, number, outcome }) =>
      html`<div>${notificationLink(notification)} ${number === null ? NOTHING : html`<span class="mono">${number}</span>`}
${outcomeBadges(view, outcome.outcome, outcome.outcome === 'held' ? outcome.reason : null)}</div>`,
  );
  return html`${lines}`;
}

/** The same afterwards, or why it failed. */
export function toldOfTrade({ t }: View, action: TradeAction): string {
  return t(`trades.${action}.done`);
}

export function whyNot(view: View, result: string): string {
  return `${view.t('trades.unchanged')} ${wordFor(view, 'trades.why', result)}`;
}
