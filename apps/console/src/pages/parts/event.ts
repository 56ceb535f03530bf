import { eventFromJson } from '@payonce/orders/notifications/event-json';
import type { PaymentEvent } from '@payonce/providers/event';
import type { Fact } from '@payonce/providers/fact';
import { type Html, html, NOTHING } from '../html.js';
import type { View } from '../view.js';
import { badge, wordFor } from './badge.js';
import { money } from './money.js';

/**
 * One cell: the paid or refunded amount of the event; otherwise the order's amount; otherwise the
 * provider's term.
 */
export function saidBy(view: View, json: unknown): Html {
  const event = eventFromJson(json);
  if (event.kind !== 'order') return html`<code>${event.says}</code>`;
  const told = event.facts.flatMap((fact) => factInWords(view, fact, event.currency));
  return html`${told.map((one) => html`<div>${one}</div>`)}`;
}

function factInWords(view: View, fact: Fact, currency: string): Html[] {
  switch (fact.kind) {
    case 'paid':
    case 'operator':
      return [html`${view.t('said.paid')} ${money(fact.amount, currency)}`];
    case 'refund':
      return [
        html`${view.t('said.refund')} ${money(fact.amount, currency)} <code>${fact.status}</code>`,
      ];
    case 'refund_total':
      return [html`${view.t('said.refundTotal')} ${money(fact.amount, currency)}`];
    case 'finished':
      return [html`${view.t('said.finished')}`];
    case 'closed':
      return [html`${view.t('said.closed')}`];
    // No provider states these.
    case 'contested':
    case 'released':
    case 'reinstated':
      return [];
  }
}

/** The paid amount; null when the event states no payment. */
export function amountPaid(event: PaymentEvent): bigint | null {
  const paid = event.kind === 'order' ? event.facts.find(({ kind }) => kind === 'paid') : undefined;
  return paid?.kind === 'paid' ? paid.amount : null;
}

/** The outcome, and the reason of a hold. */
export function outcomeBadges(view: View, outcome: string, holdReason: string | null): Html {
  return html`${badge(view, 'outcome', outcome)} ${holdReason === null ? NOTHING : badge(view, 'hold', holdReason)}`;
}

/** The meaning of a hold's reason, and what to do about it. */
export function aboutHold(view: View, reason: string): Html {
  const { t } = view;
  const means = wordFor(view, 'hold', `${reason}.means`);
  const toDo = wordFor(view, 'hold', `${reason}.do`);
  return html`<p>${t('sentence', { text: means })}</p>
<p><b>${t('held.toDo')}</b> ${t('sentence', { text: toDo })}</p>`;
}
