import { hmacSha256Base64 } from '@payonce/providers/crypto';

/**
 * The headers of Standard Webhooks (https://www.standardwebhooks.com). The ID is the message's on
 * every retry, the time is the attempt's, and each live secret has a signature.
 * @param secrets at least one: every message is signed
 */
export function signedHeaders(
  message: { readonly id: string; readonly body: string },
  now: Date,
  secrets: readonly Buffer[],
): Record<string, string> {
  if (secrets.length === 0) throw new Error('an order event must be signed');
  const timestamp = Math.floor(now.getTime() / 1_000).toString();
  const signed = `${message.id}.${timestamp}.${message.body}`;
  const signatures = secrets.map((secret) => `v1,${hmacSha256Base64(secret, signed)}`);
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
