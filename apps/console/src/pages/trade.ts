import type { DatabaseDeps } from '@payonce/orders/database/deps';
import type { TradeCommand, TradeEffect } from '@payonce/orders/notifications/trades/trade-outcome';
import {
  changeTrade,
  previewTrade,
  type TradeAction,
} from '@payonce/orders/notifications/trades/trade-release';
import type { TradeName } from '@payonce/orders/orders/released';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { TypedApp } from '../api/typed-app.js';
import { badge, wordFor } from '../parts/badge.js';
import { outcomeBadges } from '../parts/event.js';
import { facts } from '../parts/facts.js';
import { type Html, html, NOTHING } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import { notificationLink, orderLink, orderPath } from '../parts/links.js';
import { exactMoney, money } from '../parts/money.js';
import { contextOf, type PageContext, sendPage, sessionOf } from '../parts/page-context.js';
import { reasonForm } from '../parts/reason-form.js';
import { tradePath } from '../parts/trades.js';
import { formOf, reasonIn } from '../plugins/forms.js';
import { sendRefusal } from '../plugins/page-errors.js';
import { findOrder } from '../reads/order.js';
import { ofOrder, unknownOrder } from '../routes/orders.js';
import { tradeParams, tradeProblem } from '../routes/trades.js';
import { merchant } from '../schemas/fields.js';

const params = tradeParams.extend({ merchant });
const config = { access: 'session', role: 'operate', merchants: ofOrder } as const;
const seenVersion = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number);

/** Releases a trade or reinstates it, each after a page with the effects. */
export async function tradePageRoutes(app: TypedApp, deps: DatabaseDeps): Promise<void> {
  for (const action of ['release', 'reinstate'] as const) {
    const path = `/orders/:merchant/:number/trades/:rail/:trade/${action}`;

    const show = async (
      request: FastifyRequest & { readonly params: z.output<typeof params> },
      reply: FastifyReply,
      fault: string | null,
    ) => {
      const { merchant, number, rail, trade } = request.params;
      const command = { ...asker(request, null), ...request.params };
      const outcome = await previewTrade(deps, action, command);
      if (outcome.result !== 'done') return refuse(request, reply, command, outcome);
      const found = await findOrder(deps.prisma, { merchant, number });
      if (found === null) return sendRefusal(request, reply, unknownOrder);
      const { currency } = found;
      const order = { merchant, number, currency };
      const asked = { order, trade: { rail, trade }, action, effect: outcome.effect, fault };
      return sendPage(reply, tradePage(contextOf(request), asked));
    };

    app.get(path, { config, schema: { params } }, (request, reply) => show(request, reply, null));

    app.post(path, { config, schema: { params } }, async (request, reply) => {
      const reason = reasonIn(request);
      if (reason === null) {
        return show(request, reply.code(400), contextOf(request).t('decide.reasonMissing'));
      }
      const version = seenVersion.safeParse(formOf(request).get('version')).data;
      const command = { ...asker(request, reason), ...request.params, version };
      const outcome = await changeTrade(deps, action, command);
      if (outcome.result !== 'done') return refuse(request, reply, command, outcome);
      sessionOf(request).flash = {
        good: true,
        text: contextOf(request).t(`trades.${action}.done`),
      };
      return reply.redirect(orderPath(command.merchant, command.number), 303);
    });
  }
}

function asker(request: FastifyRequest, reason: string | null) {
  return { actor: sessionOf(request).user, reason };
}

/** An unknown object gets an error page; other refusals lead back to the order, which shows why. */
function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  { merchant, number }: TradeCommand,
  outcome: Parameters<typeof tradeProblem>[0],
): FastifyReply {
  const why = tradeProblem(outcome);
  if (why.status === 404) return sendRefusal(request, reply, why);
  sessionOf(request).flash = {
    good: false,
    text: unchangedBecause(contextOf(request), outcome.result),
  };
  return reply.redirect(orderPath(merchant, number), 303);
}

interface Asked {
  readonly order: { readonly merchant: string; readonly number: string; readonly currency: string };
  readonly trade: TradeName;
  readonly action: TradeAction;
  readonly effect: TradeEffect;
  /** The fault of the last form. */
  readonly fault: string | null;
}

/** The page before a trade is released or reinstated: all effects, and a field for the reason. */
function tradePage(context: PageContext, { order, trade, action, effect, fault }: Asked): string {
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

/** Why nothing changed. */
function unchangedBecause(context: PageContext, result: string): string {
  return `${context.t('trades.unchanged')} ${wordFor(context, 'trades.why', result)}`;
}
