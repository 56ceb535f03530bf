import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Problem, problem, sendProblem } from '../api/problems.js';
import { errorPage } from '../parts/error.js';
import { contextOf, sendPage } from '../parts/page-context.js';

/** Whether the request comes from a person's browser, not from a program. */
export function wantsPage(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('text/html');
}

/** An error, as a page for people and as a problem for programs. */
export function sendRefusal(
  request: FastifyRequest,
  reply: FastifyReply,
  content: Problem,
): FastifyReply {
  if (!wantsPage(request)) return sendProblem(reply, content);
  return sendPage(
    reply.code(content.status),
    errorPage(contextOf(request), content.status, content.code),
  );
}

export const oldForm = problem(
  403,
  'forbidden',
  'The form has expired. Please open the page again.',
);
