import type { Channels } from '@payonce/core/config/channels';
import type { DecodeStored } from '@payonce/orders/notifications/redecode/redecode';

/**
 * Verifies a stored message again, from its bytes and by the time of its receipt, and decodes it. A
 * key retired since then still counts; a key removed from the channel file does not.
 */
export function decodeStored(channels: Channels): DecodeStored {
  return ({ channel, provider: id, body, headers, receivedAt }) => {
    const provider = channels.get(channel)?.provider;
    if (provider?.id !== id) return null;
    const verification = provider.verify({ body, headers, receivedAt });
    if (!verification.ok) return null;
    try {
      const events = provider.decode(verification.request);
      return events.length > 0 ? { digest: verification.digest, events } : null;
    } catch {
      return null;
    }
  };
}
