import type { Log } from '@payonce/core/runtime/log';
import type { FastifyRequest } from 'fastify';

/** The log of a request, with its ID. Fastify's type does not know the events. */
export function logOf({ log }: Pick<FastifyRequest, 'log'>): Log {
  return log as Log;
}
