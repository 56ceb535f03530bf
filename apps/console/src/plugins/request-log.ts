import type { Log } from '@payonce/core/runtime/log';
import type { FastifyRequest } from 'fastify';

/** The log of a request: the process's own, with the request's ID. Fastify's type knows no events. */
export function logOf({ log }: Pick<FastifyRequest, 'log'>): Log {
  return log as Log;
}
