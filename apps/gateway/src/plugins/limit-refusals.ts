import type { Log } from '@payonce/core/runtime/log';
import type { ProviderDefinition, ProviderReply } from '@payonce/providers/provider';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import { networkOf } from './network-of.js';
import { definitionAt } from './refuse-unknown.js';
import { sendReply } from './send-reply.js';
import type { Sender, Ticket, WorkBudget } from './work-budget.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set when the head has arrived, on every request that is not refused unread. */
    ticket: Ticket;
  }
}

const TOO_MANY: ProviderReply = { status: 429, contentType: null, body: '' };

/**
 * Admits a request at its head, or replies 429 unread: a flood of forgeries costs neither memory
 * nor signatures. `receive` says what is genuine. We cause a reply of 5xx, so it costs nothing.
 */
export function limitRefusals(
  app: FastifyInstance,
  definitions: readonly ProviderDefinition[],
  budget: WorkBudget,
  deps: { readonly metrics: GatewayMetrics; readonly log: Log; readonly trustsProxies: boolean },
): void {
  const { metrics, log, trustsProxies } = deps;
  let hasWarned = false;
  app.decorateRequest('ticket');
  app.addHook('onRequest', (request, reply, done) => {
    const isForwarded = !trustsProxies && hasForwardingHeader(request);
    if (isForwarded && !hasWarned) {
      hasWarned = true;
      log.warn({ ip: request.ip, setting: 'PAYONCE_TRUSTED_PROXIES' }, 'proxy.not_trusted');
    }
    const sender: Sender = isForwarded ? 'untrusted_proxy' : { network: networkOf(request.ip) };
    const ticket = budget.admit(sender, bytesOf(request));
    if (ticket !== null) {
      request.ticket = ticket;
      reply.raw.once('close', ticket.end);
      done();
      return;
    }
    log.debug({ ip: request.ip }, 'request.limited');
    metrics.refused.inc({ status: '429' });
    const definition = definitionAt(request.url, definitions);
    sendReply(reply, definition?.reply({ outcome: 'refused', status: 429 }) ?? TOO_MANY);
  });
  app.addHook('onSend', ({ ticket }, { statusCode }, _payload, done) => {
    if (statusCode >= 500) ticket?.isOurFault();
    done();
  });
}

function hasForwardingHeader({ headers }: FastifyRequest): boolean {
  return headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
}

/** That will be read: none of a body that is too large, as much as allowed of an unknown length. */
function bytesOf({ headers, is404, routeOptions }: FastifyRequest): number {
  const most = is404 ? 0 : routeOptions.bodyLimit;
  if (headers['transfer-encoding'] !== undefined) return most;
  const length = Number(headers['content-length'] ?? 0);
  return length <= most ? length : 0;
}
