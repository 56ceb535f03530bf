import { eventFromJson } from '@payonce/orders/notifications/records/event-json';
import type { PaymentEvent } from '@payonce/providers/event';
import { type Fact, paidAmountOf } from '@payonce/providers/fact';
import { badge, wordFor } from './badge.js';
import { type Html, html, NOTHING } from './html.js';
import { money } from './money.js';
import type { PageContext } from './page-context.js';

/**
 * One cell: the paid or refunded amount of the event; otherwise the order's amount; otherwise the
 * provider's term.
 */
export function saidBy(context: PageContext, json: unknown): Html {
  const event = eventFromJson(json);
  if (event.kind !== 'order') return html`<code>${event.says}</code>`;
  const assertions = event.facts.flatMap((fact) => factInWords(context, fact, event.currency));
  return html`${assertions.map((one) => html`<div>${one}</div>`)}`;
}

function factInWords(context: PageContext, fact: Fact, currency: string): Html[] {
  switch (fact.kind) {
    case 'paid':
    case 'operator':
      return [html`${context.t('said.paid')} ${money(fact.amount, currency)}`];
    case 'refund':
      return [
        html`${context.t('said.refund')} ${money(fact.amount, currency)} <code>${fact.status}</code>`,
      ];
    case 'refund_total':
      return [html`${context.t('said.refundTotal')} ${money(fact.amount, currency)}`];
    case 'finished':
      return [html`${context.t('said.finished')}`];
    case 'closed':
      return [html`${context.t('said.closed')}`];
    // No provider states these.
    case 'contested':
    case 'released':
    case 'reinstated':
      return [];
  }
}

/** The paid amount; null when the event states no payment. */
export function amountPaid(event: PaymentEvent): bigint | null {
  return event.kind === 'order' ? paidAmountOf(event.facts) : null;
}

/** The outcome, and the reason of a hold. */
export function outcomeBadges(
  context: PageContext,
  outcome: string,
  holdReason: string | null,
): Html {
  return html`${badge(context, 'outcome', outcome)} ${holdReason === null ? NOTHING : badge(context, 'hold', holdReason)}`;
}

/** The meaning of a hold's reason, and what to do about it. */
export function aboutHold(context: PageContext, reason: string): Html {
  const { t } = context;
  const means = wordFor(context, 'hold', `${reason}.means`);
  const toDo = wordFor(context, 'hold', `${reason}.do`);
  return html`<p>${t('sentence', { text: means })}</p>
<p><b>${t('held.toDo')}</b> ${t('sentence', { text: toDo })}</p>`;
}
