import type { Channel } from '@payonce/core/config/channels';
import type { CurrentChannels } from '@payonce/core/config/live-channels';
import type { ProviderDefinition, ReceiveOutcome } from '@payonce/providers/provider';
import type { FastifyError, FastifyInstance } from 'fastify';
import { acceptRawBodies } from '../plugins/raw-body.js';
import { sendReply } from '../plugins/send-reply.js';
import { type ReceiveDeps, receive } from './receive.js';

const NO_BODY = Buffer.alloc(0);

declare module 'fastify' {
  interface FastifyRequest {
    /** Set when the head has arrived: the channels may be reloaded before the body arrives. */
    notifyChannel: Channel | null;
  }
}

/**
 * `POST /notify/{provider}/{channel}`: one route per provider, so that each failure follows its
 * protocol.
 */
export function notifyRoutes(
  scope: FastifyInstance,
  definitions: readonly ProviderDefinition[],
  channels: CurrentChannels,
  deps: ReceiveDeps,
): void {
  acceptRawBodies(scope);
  scope.decorateRequest('notifyChannel', null);
  for (const { id, maxBodyBytes, reply: replyFor } of definitions) {
    const channelNamed = (key: string): Channel | null => {
      const channel = channels().get(key);
      return channel?.provider.id === id ? channel : null;
    };
    scope.post<{ Params: { channel: string } }>(`/notify/${id}/:channel`, {
      bodyLimit: maxBodyBytes,
      onRequest: async (request, reply) => {
        request.notifyChannel = channelNamed(request.params.channel);
        const outcome = refusedUnread(request.headers, request.notifyChannel);
        if (!outcome) return;
        const providerReply = replyFor(outcome);
        deps.metrics.refused.inc({ status: String(providerReply.status) });
        return sendReply(reply, providerReply);
      },
      errorHandler: (error, _request, reply) => {
        const providerReply = replyFor(outcomeOf(error, deps));
        deps.metrics.refused.inc({ status: String(providerReply.status) });
        return sendReply(reply, providerReply);
      },
      handler: async (request, reply) => {
        const { headers, ip, ticket, notifyChannel: channel } = request;
        // Without a body there is nothing to parse, and Fastify leaves it undefined.
        const body = Buffer.isBuffer(request.body) ? request.body : NO_BODY;
        const outcome: ReceiveOutcome = channel
          ? await receive(deps, channel, { body, headers, ip, ticket })
          : { outcome: 'unknown_channel' };
        return sendReply(reply, replyFor(outcome));
      },
    });
  }
}

/** The outcomes that the head of a request alone decides. */
function refusedUnread(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  channel: Channel | null,
): ReceiveOutcome | null {
  if (!channel) return { outcome: 'unknown_channel' };
  // No provider compresses, and a stranger should not be able to cause the work of decompression.
  const encoding = headers['content-encoding'];
  if (encoding !== undefined) return { outcome: 'refused', status: 415 };
  return null;
}

/** Fastify's refusals while it reads the body. Any other error is our mistake. */
function outcomeOf(error: FastifyError, { log }: ReceiveDeps): ReceiveOutcome {
  if (error.statusCode === 413) return { outcome: 'refused', status: 413 };
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return { outcome: 'rejected', reason: 'malformed' };
  }
  log.error({ err: error }, 'request.failed');
  // The sender retries.
  return { outcome: 'unavailable' };
}
