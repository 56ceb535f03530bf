import { eventFromJson } from '@payonce/core/database/event-json';
import { acceptEvent } from '@payonce/core/notifications/accept';
import type { HoldReason } from '@payonce/core/notifications/notification';
import type { HeldEventRow } from '../reads/held-events.js';
import { type Html, html, NOTHING } from './html.js';
import { layout } from './layout.js';
import type { PageContext } from './page-context.js';
import { badge, wordFor } from './parts/badge.js';
import { aboutHold, amountPaid, saidBy } from './parts/event.js';
import { facts } from './parts/facts.js';
import { notificationLink, orderLink } from './parts/links.js';
import { exactMoney, moneyText } from './parts/money.js';
import { reasonForm } from './parts/reason-form.js';

/** A held event, with the details on which a person decides. */
export interface Held extends HeldEventRow {
  readonly holdReason: HoldReason;
}

/**
 * The page before a held event is finally decided: the event, the effects, and a field for the
 * reason.
 * @param fault the fault of the last form
 */
export function decidePage(
  context: PageContext,
  held: Held,
  action: 'accept' | 'reject',
  fault: string | null,
): string {
  const { t } = context;
  const title = t(`decide.${action}.title`);
  const hindrance = action === 'accept' ? whyNotAcceptable(held) : null;
  return layout(
    context,
    { title, under: '/held' },
    html`<h1>${title}</h1>
<div class="card">${facts([
      [t('notification'), notificationLink(held.notificationRowId)],
      [t('order'), orderOf(context, held)],
      [t('reason'), badge(context, 'hold', held.holdReason)],
      [t('held.says'), saidBy(context, held.event)],
      [t('due'), held.order && exactMoney(context, held.order.amount, held.order.currency)],
    ])}</div>
<h2>${t('held.why')}</h2>
${aboutHold(context, held.holdReason)}
<h2>${t('decide.willHappen')}</h2>
${hindrance === null ? html`${consequence(context, held, action)}${form(context, held, action, fault)}` : refusal(context, hindrance)}`,
  );
}

function orderOf({ t }: PageContext, { merchant, orderNumber, order }: Held): Html {
  if (orderNumber === null) return html`${t('notifications.noOrder')}`;
  if (order === null) return html`<span class="mono">${orderNumber}</span>`;
  return orderLink(merchant, orderNumber);
}

function whyNotAcceptable({ event, order, holdReason }: Held): string | null {
  const acceptance = acceptEvent(eventFromJson(event), order, holdReason);
  return acceptance.acceptable ? null : acceptance.why;
}

function refusal(context: PageContext, why: string): Html {
  return html`<p class="message warn">${context.t('decide.notAcceptable')} ${wordFor(context, 'whyNot', why)}</p>
<p><a class="button" href="/held">${context.t('decide.cancel')}</a></p>`;
}

function consequence(context: PageContext, held: Held, action: 'accept' | 'reject'): Html {
  const { t } = context;
  if (action === 'reject') return html`<p>${t('decide.reject.happens')}</p>`;
  const { order, orderNumber } = held;
  const number = orderNumber ?? '';
  const received = amountPaid(eventFromJson(held.event));
  if (order === null || received === null) {
    return html`<p>${t('decide.accept.asserted', { number })} ${t('decide.accept.forGood')}</p>`;
  }
  const { amount, currency } = order;
  const exact = (minor: bigint) =>
    `${moneyText(minor, currency)} (${t('money.fen', { fen: minor })})`;
  const words = { number, received: exact(received), due: exact(amount) };
  const less = amount - received;
  const difference = moneyText(less < 0n ? -less : less, currency);
  return html`<p>${t('decide.accept.paid', words)}</p>
${less === 0n ? NOTHING : html`<p class="message warn">${t(less > 0n ? 'decide.accept.difference' : 'decide.accept.surplus', { difference })}</p>`}
<p>${t('decide.accept.forGood')}</p>`;
}

/** The form includes the amount, so that nobody accepts another sum than the one that was shown. */
function form(
  context: PageContext,
  held: Held,
  action: 'accept' | 'reject',
  fault: string | null,
): Html {
  const received = amountPaid(eventFromJson(held.event));
  const isAccept = action === 'accept';
  return reasonForm(context, {
    action: `/held/${held.notificationRowId}/${held.position}/${action}`,
    hidden:
      isAccept && received !== null
        ? html`<input type="hidden" name="amount" value="${received}">`
        : NOTHING,
    submit: html`<button class="${isAccept ? 'primary' : 'danger'}">${context.t(`decide.${action}.submit`)}</button>`,
    cancel: '/held',
    fault,
  });
}
