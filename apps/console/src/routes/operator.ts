import type { DatabaseDeps } from '@payonce/orders/database/deps';
import {
  acceptHeldEvent,
  type EventCommand,
  type OperatorOutcome,
  rejectHeldEvent,
  retryEvent,
} from '@payonce/orders/notifications/operator';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { amount, asking, deciding, position, rowId } from '../api/fields.js';
import { eventView, viewOfEvent } from '../api/notification-views.js';
import { orderView, viewOfOrder } from '../api/order-views.js';
import type { Actor } from '../auth/bearer.js';
import { operatorOf } from '../plugins/auth.js';
import { problem, problemSchema, sendProblem } from '../plugins/problems.js';
import { WHY_NOT } from './why-not.js';

const params = z.object({ id: rowId, position });
export const unknownHeldEvent = problem(404, 'unknown_event', 'There is no such event.');
/** One event of a notification, by `:id`. */
export const ofHeldEvent = { row: 'notification', unknown: unknownHeldEvent } as const;

const accepting = deciding.extend({
  /**
   * The paid amount that the operator saw. Required if it differs from the amount due and is not
   * the reason of the hold.
   */
  amount: amount.optional(),
});

/** The event as it is now, and its order if there is one. */
const answer = z.object({ event: eventView, order: orderView.nullable() });
const schemaOf = <Body extends z.ZodType>(operationId: string, summary: string, body: Body) => ({
  operationId,
  summary,
  tags: ['held events'],
  params,
  body,
  response: { 200: answer, 404: problemSchema, 409: problemSchema, 422: problemSchema },
});

/** An operator's actions on one held event. A repeated request gets the same answer. */
export async function operatorRoutes(instance: FastifyInstance, deps: DatabaseDeps): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const path = '/notifications/:id/events/:position';
  const config = { access: 'operate', merchants: ofHeldEvent } as const;

  app.post(
    `${path}/retry`,
    { config, schema: schemaOf('retryEvent', 'Evaluate a held event again', asking) },
    async (request, reply) => {
      const command = commandOf(request);
      return await send(deps, reply, command, retryEvent(deps, command));
    },
  );
  app.post(
    `${path}/accept`,
    {
      config,
      schema: schemaOf('acceptEvent', 'Accept a held event: it counts for its order', accepting),
    },
    async (request, reply) => {
      const { amount: named } = request.body;
      const command = commandOf(request);
      const accept = { ...command, ...(named !== undefined && { amount: BigInt(named) }) };
      return await send(deps, reply, command, acceptHeldEvent(deps, accept));
    },
  );
  app.post(
    `${path}/reject`,
    {
      config,
      schema: schemaOf('rejectEvent', 'Reject a held event: it is ignored from now on', deciding),
    },
    async (request, reply) => {
      const command = commandOf(request);
      return await send(deps, reply, command, rejectHeldEvent(deps, command));
    },
  );
}

function commandOf(request: {
  readonly actor: Actor | null;
  readonly params: z.output<typeof params>;
  readonly body: z.output<typeof asking>;
}): EventCommand {
  const { id: notification, position } = request.params;
  return { ...operatorOf(request), notification, position };
}

async function send(
  deps: DatabaseDeps,
  reply: FastifyReply,
  { notification, position }: EventCommand,
  asked: Promise<OperatorOutcome>,
): Promise<FastifyReply> {
  const outcome = await asked;
  switch (outcome.result) {
    case 'done':
      return reply.code(200).send(await read(deps, notification, position));
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
      const detail = `This event cannot be accepted (${outcome.why}): ${WHY_NOT[outcome.why]}`;
      return sendProblem(reply, problem(422, 'not_acceptable', detail));
    }
  }
}

async function read({ prisma }: DatabaseDeps, notificationRowId: bigint, position: number) {
  const event = await prisma.notificationEvent.findUniqueOrThrow({
    where: { notificationRowId_position: { notificationRowId, position } },
  });
  const { merchant, orderNumber: number } = event;
  const order =
    number === null
      ? null
      : await prisma.order.findUnique({ where: { merchant_number: { merchant, number } } });
  return { event: viewOfEvent(event), order: order && viewOfOrder(order) };
}
