import type { Channels } from '@payonce/core/config/channels';
import type { DecodeStored } from '@payonce/core/notifications/redecode';

/**
 * Proves a stored message once more, from its bytes and at the time of its receipt, and decodes it. A key that was
 * retired since still counts; one that was taken out of the channel file does not.
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
