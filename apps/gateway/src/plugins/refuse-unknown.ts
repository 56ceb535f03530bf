import type {
  ProviderDefinition,
  ProviderReply,
  ReceiveOutcome,
} from '@payonce/core/providers/provider';
import type { FastifyInstance } from 'fastify';
import type { GatewayMetrics } from '../gateway-metrics.js';
import { sendAndClose } from './send.js';

const NOTIFY_ADDRESS = /^\/notify\/([^/?#]+)\/[^/?#]+(?:[?#]|$)/;
const NOT_FOUND: ProviderReply = { status: 404, contentType: null, body: '' };

/**
 * Whatever is not `POST /notify/{provider}/{channel}`: 405 at such an address, 404 everywhere else; before
 * the body is read.
 */
export function refuseUnknown(
  app: FastifyInstance,
  definitions: readonly ProviderDefinition[],
  metrics: GatewayMetrics,
): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return;
    const id = NOTIFY_ADDRESS.exec(request.url)?.[1];
    const definition = definitions.find((candidate) => candidate.id === id);
    const answer = definition?.reply(outcomeFor(request.method)) ?? NOT_FOUND;
    metrics.refused.inc({ status: String(answer.status) });
    if (answer.status === 405) reply.header('allow', 'POST');
    return sendAndClose(reply, answer);
  });
}

/** A POST to a notify address that is no route has a channel name too long to be one. */
function outcomeFor(method: string): ReceiveOutcome {
  return method === 'POST' ? { outcome: 'unknown_channel' } : { outcome: 'refused', status: 405 };
}
