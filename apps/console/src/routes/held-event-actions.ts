import type { DatabaseDeps } from '@payonce/orders/database/deps';
import {
  acceptHeldEvent,
  applyOperatorAction,
  type EventCommand,
  type HeldAction,
  type OperatorOutcome,
} from '@payonce/orders/notifications/held/operator';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { NOT_ACCEPTABLE_REASONS } from '../api/not-acceptable-reasons.js';
import { eventView, viewOfEvent } from '../api/notification-views.js';
import { orderView, viewOfOrder } from '../api/order-views.js';
import { problem, problemSchema, sendProblem } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import type { Actor } from '../auth/bearer.js';
import { operatorOf } from '../plugins/auth.js';
import { readEvent } from '../reads/held-events.js';
import { amount, auditFields, decisionFields, position, rowId } from '../schemas/fields.js';

const PATH = '/notifications/:id/events/:position';
const params = z.object({ id: rowId, position });
export const unknownHeldEvent = problem(
  404,
  'unknown_event',
  'There is no such event in this notification.',
);
/** One event of a notification, by `:id`. */
export const ofHeldEvent = { row: 'notification', unknown: unknownHeldEvent } as const;

const accepting = decisionFields.extend({
  /**
   * The paid amount that the operator saw. Required if it differs from the amount due and is not
   * the reason of the hold.
   */
  amount: amount.optional(),
});

/** The event as it is now, and its order if there is one. */
const decided = z.object({ event: eventView, order: orderView.nullable() });
const response = { 200: decided, 404: problemSchema, 409: problemSchema, 422: problemSchema };
const config = { access: 'operate', merchants: ofHeldEvent } as const;
const described = { tags: ['held events'], params, response };

/** An operator's actions on one held event. A repeated request gets the same response. */
export async function heldEventActionRoutes(api: TypedApp, deps: DatabaseDeps): Promise<void> {
  retry(api, deps);
  accept(api, deps);
  reject(api, deps);
}

function retry(api: TypedApp, deps: DatabaseDeps): void {
  const summary = 'Evaluate a held event again';
  api.post(
    `${PATH}/retry`,
    { config, schema: { operationId: 'retryEvent', summary, ...described, body: auditFields } },
    async (request, reply) => await act(deps, 'retry', request, reply),
  );
}

function accept(api: TypedApp, deps: DatabaseDeps): void {
  const summary = 'Accept a held event: it counts for its order';
  api.post(
    `${PATH}/accept`,
    { config, schema: { operationId: 'acceptEvent', summary, ...described, body: accepting } },
    async (request, reply) => await act(deps, 'accept', request, reply),
  );
}

function reject(api: TypedApp, deps: DatabaseDeps): void {
  const summary = 'Reject a held event: it is ignored from now on';
  api.post(
    `${PATH}/reject`,
    { config, schema: { operationId: 'rejectEvent', summary, ...described, body: decisionFields } },
    async (request, reply) => await act(deps, 'reject', request, reply),
  );
}

async function act(
  deps: DatabaseDeps,
  action: HeldAction,
  request: {
    readonly actor: Actor | null;
    readonly params: z.output<typeof params>;
    readonly body: z.output<typeof auditFields> & { readonly amount?: string | undefined };
  },
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { id: notification, position } = request.params;
  const command = { ...operatorOf(request), notification, position };
  const outcome = await applyHeldAction(deps, action, command, request.body.amount);
  switch (outcome.result) {
    case 'done': {
      const row = await readEvent(deps.prisma, notification, position);
      if (row === null) return sendProblem(reply, unknownHeldEvent);
      return reply
        .code(200)
        .send({ event: viewOfEvent(row), order: row.order && viewOfOrder(row.order) });
    }
    case 'unknown_event':
      return sendProblem(reply, unknownHeldEvent);
    case 'not_held': {
      const detail = `The event is no longer held: it is ${outcome.outcome}.`;
      return sendProblem(reply, problem(409, 'not_held', detail));
    }
    case 'other_amount': {
      const says = outcome.amount === null ? 'no payment' : `${outcome.amount} (minor units)`;
      const detail = `The event says ${says}. If that amount was received, send it as \`amount\`.`;
      return sendProblem(reply, problem(409, 'other_amount', detail));
    }
    case 'refused': {
      const detail = `This event cannot be accepted (${outcome.why}): ${NOT_ACCEPTABLE_REASONS[outcome.why]}`;
      return sendProblem(reply, problem(422, 'not_acceptable', detail));
    }
  }
}

/**
 * The action of a program or a person.
 * @param amount the paid amount that was seen, when accepting
 */
export function applyHeldAction(
  deps: DatabaseDeps,
  action: HeldAction,
  command: EventCommand,
  amount: string | undefined,
): Promise<OperatorOutcome> {
  if (action !== 'accept' || amount === undefined)
    return applyOperatorAction(deps, action, command);
  return acceptHeldEvent(deps, { ...command, amount: BigInt(amount) });
}
