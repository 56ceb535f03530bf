import { failureKind } from '@payonce/orders/database/failure';
import { isUnavailable } from '@payonce/orders/database/transaction';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  type ZodFastifySchemaValidationError,
} from 'fastify-type-provider-zod';
import { z } from 'zod';
import { logOf } from './request-log.js';

/** RFC 9457. `code` is for programs, `detail` for people. */
export const problemSchema = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string(),
  /** The faults of the request, field by field. */
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof problemSchema>;

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

export function problem(
  status: number,
  code: string,
  detail: string,
  errors?: NonNullable<Problem['errors']>,
): Problem {
  return {
    type: 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    code,
    detail,
    ...(errors && { errors }),
  };
}

/** 400 with the faults, field by field. */
export function invalidRequest(errors: NonNullable<Problem['errors']>): Problem {
  return problem(400, 'invalid_request', 'The request is not valid.', errors);
}

export function sendProblem(reply: FastifyReply, content: Problem): FastifyReply {
  return reply.code(content.status).type('application/problem+json').send(content);
}

/**
 * Every error becomes a problem document without internal details.
 * @param notFound responds for an unknown address
 */
export function respondWithProblems(
  app: FastifyInstance,
  notFound: (request: FastifyRequest, reply: FastifyReply) => FastifyReply,
): void {
  app.setErrorHandler((error: FastifyError, request, reply) =>
    sendProblem(reply, problemOf(error, request, reply)),
  );
  app.setNotFoundHandler(notFound);
}

export const nothingHere = problem(404, 'not_found', 'There is nothing at this address.');

/** The public part of an error; the log has the rest. */
export function problemOf(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): Problem {
  if (hasZodFastifySchemaValidationErrors(error)) {
    return invalidRequest(faultsOf(error.validation));
  }
  if (isUnavailable(error) || failureKind(error) === 'unavailable') {
    logOf(request).warn({ err: error }, 'database.unavailable');
    reply.header('retry-after', '5');
    const detail = 'The database does not respond. Please try again.';
    return problem(503, 'database_unavailable', detail);
  }
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) {
    return problem(status, codeOf(error), TITLES[status] ?? 'Rejected.');
  }
  logOf(request).error({ err: error }, 'request.failed');
  return problem(500, 'internal_error', 'Something went wrong on our side.');
}

function faultsOf(validation: readonly ZodFastifySchemaValidationError[]) {
  return validation.map(({ instancePath, message }) => ({
    field: instancePath.replace(/^\//, '').replaceAll('/', '.'),
    message: message ?? 'is not valid',
  }));
}

/** `FST_ERR_CTP_BODY_TOO_LARGE` → `body_too_large`. */
function codeOf(error: FastifyError): string {
  const name = error.code?.replace(/^FST_ERR_(CTP_|VALIDATION_)?/, '').toLowerCase();
  return name || 'refused';
}
