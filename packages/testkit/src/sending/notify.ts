import type { SignedRequest, SignerId } from '../signers/request.js';
import { isAcknowledged, replyStatus, type Sender } from './sender.js';

/** How a gateway replied to one notification. */
export interface Posted {
  /** Null without a whole reply. */
  readonly status: number | null;
  readonly body: string;
  /** By the provider's rule. */
  readonly acknowledged: boolean;
}

/** Sends to a gateway's notify address, as the provider. */
export async function notify(
  sender: Sender,
  gatewayUrl: string,
  [provider, channel]: readonly [SignerId, channel: string],
  signed: SignedRequest,
): Promise<Posted> {
  const sent = await sender.send(`${gatewayUrl}/notify/${provider}/${channel}`, signed);
  return {
    status: replyStatus(sent),
    body: sent.outcome === 'replied' ? sent.reply.body.toString() : '',
    acknowledged: isAcknowledged(provider, sent),
  };
}
