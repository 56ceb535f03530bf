import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { HOLD_REASONS, type HoldReason } from '@payonce/orders/database/hold-reason';
import { acceptEvent } from '@payonce/orders/notifications/held/accept-held-event';
import type { OperatorOutcome } from '@payonce/orders/notifications/held/operator';
import { eventFromJson } from '@payonce/orders/notifications/records/event-json';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { TypedApp } from '../api/typed-app.js';
import { badge, wordFor } from '../parts/badge.js';
import { aboutHold, amountPaid, saidBy } from '../parts/event.js';
import { facts } from '../parts/facts.js';
import { flashOf } from '../parts/held-actions.js';
import { type Html, html, NOTHING } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import { notificationLink, orderLink, orderPath } from '../parts/links.js';
import { exactMoney, moneyText } from '../parts/money.js';
import { contextOf, type PageContext, sendPage, sessionOf } from '../parts/page-context.js';
import { reasonForm } from '../parts/reason-form.js';
import { formOf, reasonIn } from '../plugins/forms.js';
import { sendRefusal } from '../plugins/page-errors.js';
import { type HeldEventRow, readEvent } from '../reads/held-events.js';
import { applyHeldAction, ofHeldEvent, unknownHeldEvent } from '../routes/held-event-actions.js';
import { amount, position, rowId } from '../schemas/fields.js';

const params = z.object({ id: rowId, position });
const route = {
  config: { access: 'session', role: 'operate', merchants: ofHeldEvent },
  schema: { params },
} as const;

/** Accepting or rejecting a held event: first a page with the effects, then the decision. */
export async function decidePageRoutes(app: TypedApp, deps: DatabaseDeps): Promise<void> {
  for (const action of ['accept', 'reject'] as const) {
    const path = `/held/:id/:position/${action}`;

    app.get(path, route, async (request, reply) => {
      const event = await readEvent(deps.prisma, request.params.id, request.params.position);
      if (event === null) return sendRefusal(request, reply, unknownHeldEvent);
      return show(request, reply, event, action, null);
    });

    app.post(path, route, async (request, reply) => {
      const { id: notification, position } = request.params;
      const event = await readEvent(deps.prisma, notification, position);
      if (event === null) return sendRefusal(request, reply, unknownHeldEvent);
      const reason = reasonIn(request);
      if (reason === null) {
        const fault = contextOf(request).t('decide.reasonMissing');
        return show(request, reply.code(400), event, action, fault);
      }
      const command = { actor: sessionOf(request).user, reason, notification, position };
      const seen = amount.safeParse(formOf(request).get('amount')).data;
      const outcome = await applyHeldAction(deps, action, command, seen);
      sessionOf(request).flash = flashOf(contextOf(request), outcome, action);
      return reply.redirect(whereTo(event, action, outcome), 303);
    });
  }
}

function show(
  request: FastifyRequest,
  reply: FastifyReply,
  event: HeldEventRow,
  action: 'accept' | 'reject',
  fault: string | null,
): FastifyReply {
  if (isHeld(event)) return sendPage(reply, decidePage(contextOf(request), event, action, fault));
  const context = contextOf(request);
  const outcome = wordFor(context, 'outcome', event.outcome);
  sessionOf(request).flash = { good: false, text: context.t('decide.settled', { outcome }) };
  return reply.redirect(`/notifications/${event.notificationRowId}`, 303);
}

function isHeld(event: HeldEventRow): event is Held {
  return event.outcome === 'held' && HOLD_REASONS.some((reason) => reason === event.holdReason);
}

/** After accepting, the person next wants to see the order. */
function whereTo(
  { merchant, orderNumber, notificationRowId }: HeldEventRow,
  action: 'accept' | 'reject',
  outcome: OperatorOutcome,
): string {
  if (outcome.result !== 'done') return `/notifications/${notificationRowId}`;
  return action === 'accept' && orderNumber !== null ? orderPath(merchant, orderNumber) : '/held';
}

/** A held event, with the details on which a person decides. */
interface Held extends HeldEventRow {
  readonly holdReason: HoldReason;
}

/**
 * The page before a held event is finally decided: the event, the effects, and a field for the
 * reason.
 * @param fault the fault of the last form
 */
function decidePage(
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
