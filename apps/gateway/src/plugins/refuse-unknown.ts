import type { ProviderDefinition, ProviderReply } from '@payonce/providers/provider';
import type { FastifyInstance } from 'fastify';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import { sendReply } from './send-reply.js';

const NOTIFY_ADDRESS = /^\/notify\/([^/?#]+)\/[^/?#]+(?:[?#]|$)/;
const NOT_FOUND: ProviderReply = { status: 404, contentType: null, body: '' };

/** The provider whose notify address it is, if any. */
export function definitionAt(
  url: string,
  definitions: readonly ProviderDefinition[],
): ProviderDefinition | undefined {
  const id = NOTIFY_ADDRESS.exec(url)?.[1];
  return definitions.find((candidate) => candidate.id === id);
}

/**
 * Refuses everything except `POST /notify/{provider}/{channel}`, before the body is read: 405 at
 * such an address, 404 everywhere else.
 */
export function refuseUnknown(
  app: FastifyInstance,
  definitions: readonly ProviderDefinition[],
  metrics: GatewayMetrics,
): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return;
    // A POST to a provider's address has a route: here it can only be another method.
    const definition = definitionAt(request.url, definitions);
    const providerReply = definition?.reply({ outcome: 'refused', status: 405 }) ?? NOT_FOUND;
    metrics.refused.inc({ status: String(providerReply.status) });
    if (providerReply.status === 405) reply.header('allow', 'POST');
    return sendReply(reply, providerReply);
  });
}
