import type { DatabaseDeps } from '@payonce/orders/database/deps';
import {
  dismissDeadLetter,
  type LetterOutcome,
  requestRedrive,
} from '@payonce/orders/notifications/dead-letters/dead-letters';
import { DEAD_LETTER_REASONS } from '@payonce/orders/notifications/records/dead-letter';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { deadLetterView, viewOfDeadLetter } from '../api/dead-letter-views.js';
import { problem, problemSchema, sendProblem } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { operatorOf } from '../plugins/auth.js';
import { findDeadLetter, LETTER_STATES, readDeadLetters } from '../reads/dead-letters.js';
import { auditFields, decisionFields, page, rowId } from '../schemas/fields.js';

export const unknownLetter = problem(404, 'unknown_dead_letter', 'There is no such dead letter.');
const params = z.object({ id: rowId });

const listQuery = z.strictObject({
  ...page,
  reason: z.enum(DEAD_LETTER_REASONS).optional(),
  /** `open` letters wait for a person. */
  state: z.enum(LETTER_STATES).optional(),
});

// Only a worker can determine the merchant of a job, after it has verified it.
const config = { access: 'read', merchants: 'all' } as const;
const response = { 200: deadLetterView, 404: problemSchema, 409: problemSchema };
const tags = ['dead letters'];

export async function deadLetterRoutes(api: TypedApp, deps: DatabaseDeps): Promise<void> {
  listDeadLetters(api, deps);
  getDeadLetter(api, deps);
  redrive(api, deps);
  dismiss(api, deps);
}

function listDeadLetters(api: TypedApp, deps: DatabaseDeps): void {
  api.get(
    '/dead-letters',
    {
      config,
      schema: {
        operationId: 'listDeadLetters',
        summary: 'List dead letters, newest first',
        tags,
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
}

function getDeadLetter(api: TypedApp, deps: DatabaseDeps): void {
  api.get(
    '/dead-letters/:id',
    {
      config,
      schema: {
        operationId: 'getDeadLetter',
        summary: 'Get a dead letter',
        tags,
        params,
        response: { 200: deadLetterView, 404: problemSchema },
      },
    },
    async ({ params: { id } }, reply) => {
      const row = await findDeadLetter(deps.prisma, id);
      return row === null ? sendProblem(reply, unknownLetter) : viewOfDeadLetter(row);
    },
  );
}

function redrive(api: TypedApp, deps: DatabaseDeps): void {
  api.post(
    '/dead-letters/:id/redrive',
    {
      config: { access: 'operate', merchants: 'all' },
      schema: {
        operationId: 'redriveDeadLetter',
        summary: 'Re-drive a dead letter: a worker tries its job again',
        tags,
        params,
        body: auditFields,
        response,
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const outcome = await requestRedrive(deps, { ...operatorOf(request), letter: id });
      return sendOutcome(deps, reply, outcome, id);
    },
  );
}

function dismiss(api: TypedApp, deps: DatabaseDeps): void {
  api.post(
    '/dead-letters/:id/dismiss',
    {
      config: { access: 'operate', merchants: 'all' },
      schema: {
        operationId: 'dismissDeadLetter',
        summary: 'Dismiss a dead letter: its job is not tried again',
        tags,
        params,
        body: decisionFields,
        response,
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const outcome = await dismissDeadLetter(deps, { ...operatorOf(request), letter: id });
      return sendOutcome(deps, reply, outcome, id);
    },
  );
}

async function sendOutcome(
  { prisma }: DatabaseDeps,
  reply: FastifyReply,
  outcome: LetterOutcome,
  id: bigint,
): Promise<FastifyReply> {
  switch (outcome.result) {
    case 'done': {
      const row = await findDeadLetter(prisma, id);
      return row === null ? sendProblem(reply, unknownLetter) : reply.send(viewOfDeadLetter(row));
    }
    case 'unknown_letter':
      return sendProblem(reply, unknownLetter);
    case 'closed': {
      const detail = `The dead letter is already closed: it was ${outcome.how}.`;
      return sendProblem(reply, problem(409, 'settled', detail));
    }
  }
}
