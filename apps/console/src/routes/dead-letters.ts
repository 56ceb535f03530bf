import type { DatabaseDeps } from '@payonce/orders/database/deps';
import {
  DEAD_LETTER_REASONS,
  dismissDeadLetter,
  type LetterCommand,
  type LetterOutcome,
  requestRedrive,
} from '@payonce/orders/notifications/dead-letters';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { deadLetterView, viewOfDeadLetter } from '../api/dead-letter-views.js';
import { asking, deciding, page, rowId } from '../api/fields.js';
import type { Actor } from '../auth/bearer.js';
import { operatorOf } from '../plugins/auth.js';
import { problem, problemSchema, sendProblem } from '../plugins/problems.js';
import { LETTER_STATES, readDeadLetters } from '../reads/dead-letter-list.js';

export const unknownLetter = problem(404, 'unknown_dead_letter', 'There is no such dead letter.');
const params = z.object({ id: rowId });

const listQuery = z.strictObject({
  ...page,
  reason: z.enum(DEAD_LETTER_REASONS).optional(),
  /** `open` letters wait for a person. */
  state: z.enum(LETTER_STATES).optional(),
});

export async function deadLetterRoutes(
  instance: FastifyInstance,
  deps: DatabaseDeps,
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const { deadLetter } = deps.prisma;
  // Only a worker can determine the merchant of a job, after it has verified it.
  const config = { access: 'read', merchants: 'all' } as const;
  const response = { 200: deadLetterView, 404: problemSchema, 409: problemSchema };

  app.get(
    '/dead-letters',
    {
      config,
      schema: {
        operationId: 'listDeadLetters',
        summary: 'List dead letters, newest first',
        tags: ['dead letters'],

        querystring: listQuery,
        response: {
          200: z.object({
            deadLetters: z.array(deadLetterView),
            nextCursor: z.string().nullable(),
          }),
        },
      },
    },
    async ({ query: { limit, state, reason, cursor } }) => {
      const { rows, nextCursor } = await readDeadLetters(
        deps.prisma,
        { state: state ?? '', reason: reason ?? '', cursor },
        limit,
      );
      return { deadLetters: rows.map(viewOfDeadLetter), nextCursor };
    },
  );

  app.get(
    '/dead-letters/:id',
    {
      config,
      schema: {
        operationId: 'getDeadLetter',
        summary: 'Get a dead letter',
        tags: ['dead letters'],
        params,
        response: { 200: deadLetterView, 404: problemSchema },
      },
    },
    async ({ params: { id } }, reply) => {
      const row = await deadLetter.findUnique({ where: { id } });
      return row === null ? sendProblem(reply, unknownLetter) : viewOfDeadLetter(row);
    },
  );

  app.post(
    '/dead-letters/:id/redrive',
    {
      config: { access: 'operate', merchants: 'all' },
      schema: {
        operationId: 'redriveDeadLetter',
        summary: 'Re-drive a dead letter: a worker tries its job again',
        tags: ['dead letters'],
        params,
        body: asking,
        response,
      },
    },
    async (request, reply) => {
      const command = commandOf(request);
      return await send(deps, reply, command, requestRedrive(deps, command));
    },
  );
  app.post(
    '/dead-letters/:id/dismiss',
    {
      config: { access: 'operate', merchants: 'all' },
      schema: {
        operationId: 'dismissDeadLetter',
        summary: 'Dismiss a dead letter: its job is not tried again',
        tags: ['dead letters'],
        params,
        body: deciding,
        response,
      },
    },
    async (request, reply) => {
      const command = commandOf(request);
      return await send(deps, reply, command, dismissDeadLetter(deps, command));
    },
  );
}

function commandOf(request: {
  readonly actor: Actor | null;
  readonly params: z.output<typeof params>;
  readonly body: z.output<typeof asking>;
}): LetterCommand {
  return { ...operatorOf(request), letter: request.params.id };
}

async function send(
  { prisma }: DatabaseDeps,
  reply: FastifyReply,
  { letter: id }: LetterCommand,
  asked: Promise<LetterOutcome>,
): Promise<FastifyReply> {
  const outcome = await asked;
  switch (outcome.result) {
    case 'done':
      return reply.send(
        viewOfDeadLetter(await prisma.deadLetter.findUniqueOrThrow({ where: { id } })),
      );
    case 'unknown_letter':
      return sendProblem(reply, unknownLetter);
    case 'closed': {
      const detail = `The dead letter is already closed: it was ${outcome.how}.`;
      return sendProblem(reply, problem(409, 'settled', detail));
    }
  }
}
