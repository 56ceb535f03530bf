import type { Log } from '@payonce/core/runtime/log';
import type { ProviderDefinition, ProviderReply } from '@payonce/providers/provider';
import type { FastifyInstance } from 'fastify';
import type { GatewayMetrics } from '../gateway-metrics.js';
import type { RefusalLimit } from '../refusal-limit.js';
import { definitionAt } from './refuse-unknown.js';
import { sendAndClose } from './send.js';

const TOO_MANY: ProviderReply = { status: 429, contentType: null, body: '' };

/**
 * An address with too many refused requests is refused unread: a flood of forgeries costs neither
 * memory nor signatures. Only refusals count. A 429 does not count, or the address would stay
 * blocked permanently. A 503 does not count either, since it is our fault.
 */
export function limitRefused(
  app: FastifyInstance,
  definitions: readonly ProviderDefinition[],
  limit: RefusalLimit,
  { metrics, log }: { readonly metrics: GatewayMetrics; readonly log: Log },
): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!limit.isLimited(request.ip, performance.now())) return;
    log.debug({ ip: request.ip }, 'request.limited');
    const definition = definitionAt(request.url, definitions);
    metrics.refused.inc({ status: '429' });
    return sendAndClose(reply, definition?.reply({ outcome: 'refused', status: 429 }) ?? TOO_MANY);
  });
  app.addHook('onSend', async ({ ip }, { statusCode }) => {
    if (statusCode < 400) limit.accepted(ip, performance.now());
    else if (statusCode < 500 && statusCode !== 429) limit.refused(ip, performance.now());
  });
}
