import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { HOLD_REASONS } from '@payonce/orders/database/hold-reason';
import {
  acceptHeldEvent,
  type OperatorOutcome,
  rejectHeldEvent,
  retryEvent,
} from '@payonce/orders/notifications/operator';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { amount, position, rowId } from '../../api/fields.js';
import type { Flash } from '../../auth/sessions.js';
import { decidePage, type Held } from '../../pages/decide.js';
import { wordFor } from '../../pages/parts/badge.js';
import { orderPath } from '../../pages/parts/links.js';
import { localPath } from '../../pages/query.js';
import { sendPage, sessionOf, type View, viewOf } from '../../pages/view.js';
import { formOf, reasonIn } from '../../plugins/forms.js';
import { sendRefusal } from '../../plugins/page-errors.js';
import { type HeldEventRow, readEvent } from '../../reads/held-events.js';
import { ofHeldEvent, unknownHeldEvent } from '../operator.js';

const params = z.object({ id: rowId, position });
const config = { access: 'session', role: 'operate', merchants: ofHeldEvent } as const;

/** Retry acts at once; accept and reject first show a page with the effects. */
export async function heldActionRoutes(
  instance: FastifyInstance,
  deps: DatabaseDeps,
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();

  app.post('/held/:id/:position/retry', { config, schema: { params } }, async (request, reply) => {
    const command = { ...commandOf(request.params), ...asker(request, null) };
    const outcome = await retryEvent(deps, command);
    if (outcome.result === 'unknown_event') return unknown(request, reply);
    sessionOf(request).flash = told(viewOf(request), outcome, 'retry');
    return reply.redirect(localPath(formOf(request).get('back'), '/held'), 303);
  });

  for (const action of ['accept', 'reject'] as const) {
    const path = `/held/:id/:position/${action}`;

    app.get(path, { config, schema: { params } }, async (request, reply) => {
      const event = await readEvent(deps.prisma, request.params.id, request.params.position);
      if (event === null) return unknown(request, reply);
      return show(request, reply, event, action, null);
    });

    app.post(path, { config, schema: { params } }, async (request, reply) => {
      const event = await readEvent(deps.prisma, request.params.id, request.params.position);
      if (event === null) return unknown(request, reply);
      const reason = reasonIn(request);
      if (reason === null) {
        const fault = viewOf(request).t('decide.reasonMissing');
        return show(request, reply.code(400), event, action, fault);
      }
      const command = { ...commandOf(request.params), ...asker(request, reason) };
      const seen = amount.safeParse(formOf(request).get('amount')).data;
      const outcome =
        action === 'accept'
          ? await acceptHeldEvent(deps, { ...command, ...(seen && { amount: BigInt(seen) }) })
          : await rejectHeldEvent(deps, command);
      sessionOf(request).flash = told(viewOf(request), outcome, action);
      return reply.redirect(whereTo(event, action, outcome), 303);
    });
  }
}

function commandOf({ id, position }: z.output<typeof params>) {
  return { notification: id, position };
}

function asker(request: FastifyRequest, reason: string | null) {
  return { actor: sessionOf(request).user, reason };
}

function unknown(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendRefusal(request, reply, unknownHeldEvent);
}

function show(
  request: FastifyRequest,
  reply: FastifyReply,
  event: HeldEventRow,
  action: 'accept' | 'reject',
  fault: string | null,
): FastifyReply {
  if (isHeld(event)) return sendPage(reply, decidePage(viewOf(request), event, action, fault));
  const view = viewOf(request);
  const outcome = wordFor(view, 'outcome', event.outcome);
  sessionOf(request).flash = { good: false, text: view.t('decide.settled', { outcome }) };
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

function told(view: View, outcome: OperatorOutcome, action: 'retry' | 'accept' | 'reject'): Flash {
  const { t } = view;
  switch (outcome.result) {
    case 'done':
      return {
        good: true,
        text: action === 'retry' ? evaluated(view, outcome) : t(`done.${action}ed`),
      };
    case 'not_held': {
      const word = wordFor(view, 'outcome', outcome.outcome);
      return { good: false, text: t('done.notHeld', { outcome: word }) };
    }
    case 'other_amount':
      return { good: false, text: t('done.otherAmount') };
    case 'refused':
      return {
        good: false,
        text: `${t('decide.notAcceptable')} ${wordFor(view, 'whyNot', outcome.why)}`,
      };
    case 'unknown_event':
      return { good: false, text: t('error.404') };
  }
}

function evaluated(view: View, outcome: OperatorOutcome & { result: 'done' }): string {
  if (outcome.outcome === 'held') {
    return view.t('done.retriedHeld', { reason: wordFor(view, 'hold', outcome.reason) });
  }
  return view.t('done.retried', { outcome: wordFor(view, 'outcome', outcome.outcome) });
}
