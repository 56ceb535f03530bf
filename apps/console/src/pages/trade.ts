import type { TradeAction, TradeEffect } from '@payonce/core/notifications/trade-release';
import type { TradeName } from '@payonce/core/orders/released';
import { type Html, html, NOTHING } from './html.js';
import { layout } from './layout.js';
import type { PageContext } from './page-context.js';
import { badge, wordFor } from './parts/badge.js';
import { outcomeBadges } from './parts/event.js';
import { facts } from './parts/facts.js';
import { notificationLink, orderLink, orderPath } from './parts/links.js';
import { exactMoney, money } from './parts/money.js';
import { reasonForm } from './parts/reason-form.js';
import { tradePath } from './parts/trades.js';

interface Asked {
  readonly order: { readonly merchant: string; readonly number: string; readonly currency: string };
  readonly trade: TradeName;
  readonly action: TradeAction;
  readonly effect: TradeEffect;
  /** The fault of the last form. */
  readonly fault: string | null;
}

/** The page before a trade is released or reinstated: all effects, and a field for the reason. */
export function tradePage(
  context: PageContext,
  { order, trade, action, effect, fault }: Asked,
): string {
  const { t } = context;
  const { merchant, number } = order;
  const title = t(`trades.${action}.title`);
  return layout(
    context,
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
      [t('trades.before'), standing(context, order.currency, effect.before)],
      [t('trades.after'), standing(context, order.currency, effect.after)],
      [t('trades.owner'), owner(context, merchant, effect)],
      [t('trades.orderEvents'), orderEvents(context, effect)],
      [t('trades.held'), heldEvents(context, effect)],
    ])}</div>
${reasonForm(context, {
  action: `${tradePath(merchant, number, trade)}/${action}`,
  hidden: html`<input type="hidden" name="version" value="${effect.before.version}">`,
  submit: html`<button class="${action === 'release' ? 'danger' : 'primary'}">${t(`trades.${action}.submit`)}</button>`,
  cancel: orderPath(merchant, number),
  fault,
})}`,
  );
}

function standing(context: PageContext, currency: string, state: TradeEffect['before']): Html {
  const { t } = context;
  const flags = state.attention.map((flag) => badge(context, 'attention', flag));
  return html`${badge(context, 'order', state.status)} ${flags}
<div>${t('orders.paid')} ${exactMoney(context, state.paidAmount, currency)}; ${t('orders.refunded')} ${money(state.refundedAmount, currency)}</div>`;
}

function owner({ t }: PageContext, merchant: string, effect: TradeEffect): Html {
  if (effect.owner === null) return html`${t('trades.free')}`;
  return orderLink(merchant, effect.owner);
}

function orderEvents({ t }: PageContext, effect: TradeEffect): Html {
  if (effect.orderEvents.length === 0) return html`${t('trades.nothing')}`;
  const lines = effect.orderEvents.map(
    ({ number, type }) => html`<div><code>${type}</code> <span class="mono">${number}</span></div>`,
  );
  return html`${lines}`;
}

function heldEvents(context: PageContext, effect: TradeEffect): Html {
  if (effect.heldEvents.length === 0) return html`${context.t('trades.nothing')}`;
  const lines = effect.heldEvents.map(
    ({ notification, number, outcome }) =>
      html`<div>${notificationLink(notification)} ${number === null ? NOTHING : html`<span class="mono">${number}</span>`}
${outcomeBadges(context, outcome.outcome, outcome.outcome === 'held' ? outcome.reason : null)}</div>`,
  );
  return html`${lines}`;
}

/** The same afterwards, or why it failed. */
export function toldOfTrade({ t }: PageContext, action: TradeAction): string {
  return t(`trades.${action}.done`);
}

export function whyNot(context: PageContext, result: string): string {
  return `${context.t('trades.unchanged')} ${wordFor(context, 'trades.why', result)}`;
}
