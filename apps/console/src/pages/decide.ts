import type { HoldReason } from '@payonce/orders/database/hold-reason';
import { acceptEvent } from '@payonce/orders/notifications/accept';
import { eventFromJson } from '@payonce/orders/notifications/event-json';
import type { HeldEventRow } from '../reads/held-events.js';
import { type Html, html, NOTHING } from './html.js';
import { layout } from './layout.js';
import { badge, wordFor } from './parts/badge.js';
import { aboutHold, amountPaid, saidBy } from './parts/event.js';
import { facts } from './parts/facts.js';
import { notificationLink, orderLink } from './parts/links.js';
import { exactMoney, moneyText } from './parts/money.js';
import { reasonForm } from './parts/reason-form.js';
import type { View } from './view.js';

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
  view: View,
  held: Held,
  action: 'accept' | 'reject',
  fault: string | null,
): string {
  const { t } = view;
  const title = t(`decide.${action}.title`);
  const hindrance = action === 'accept' ? whyNotAcceptable(held) : null;
  return layout(
    view,
    { title, under: '/held' },
    html`<h1>${title}</h1>
<div class="card">${facts([
      [t('notification'), notificationLink(held.notificationRowId)],
      [t('order'), orderOf(view, held)],
      [t('reason'), badge(view, 'hold', held.holdReason)],
      [t('held.says'), saidBy(view, held.event)],
      [t('due'), held.order && exactMoney(view, held.order.amount, held.order.currency)],
    ])}</div>
<h2>${t('held.why')}</h2>
${aboutHold(view, held.holdReason)}
<h2>${t('decide.willHappen')}</h2>
${hindrance === null ? html`${consequence(view, held, action)}${form(view, held, action, fault)}` : refusal(view, hindrance)}`,
  );
}

function orderOf({ t }: View, { merchant, orderNumber, order }: Held): Html {
  if (orderNumber === null) return html`${t('notifications.noOrder')}`;
  if (order === null) return html`<span class="mono">${orderNumber}</span>`;
  return orderLink(merchant, orderNumber);
}

function whyNotAcceptable({ event, order, holdReason }: Held): string | null {
  const acceptance = acceptEvent(eventFromJson(event), order, holdReason);
  return acceptance.acceptable ? null : acceptance.why;
}

function refusal(view: View, why: string): Html {
  return html`<p class="message warn">${view.t('decide.notAcceptable')} ${wordFor(view, 'whyNot', why)}</p>
<p><a class="button" href="/held">${view.t('decide.cancel')}</a></p>`;
}

function consequence(view: View, held: Held, action: 'accept' | 'reject'): Html {
  const { t } = view;
  if (action === 'reject') return html`<p>${t('decide.reject.happens')}</p>`;
  const { order, orderNumber } = held;
  const number = orderNumber ?? '';
  const received = amountPaid(eventFromJson(held.event));
  if (order === null || received === null) {
    return html`<p>${t('decide.accept.told', { number })} ${t('decide.accept.forGood')}</p>`;
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
function form(view: View, held: Held, action: 'accept' | 'reject', fault: string | null): Html {
  const received = amountPaid(eventFromJson(held.event));
  const isAccept = action === 'accept';
  return reasonForm(view, {
    action: `/held/${held.notificationRowId}/${held.position}/${action}`,
    hidden:
      isAccept && received !== null
        ? html`<input type="hidden" name="amount" value="${received}">`
        : NOTHING,
    submit: html`<button class="${isAccept ? 'primary' : 'danger'}">${view.t(`decide.${action}.submit`)}</button>`,
    cancel: '/held',
    fault,
  });
}
