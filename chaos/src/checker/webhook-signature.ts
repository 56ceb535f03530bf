import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Standard Webhooks by its specification, in a few separate lines of the checker. It is neither
 * payonce's code nor a package's, so that one mistake does not hide in both.
 */

/**
 * In either direction; the specification leaves the number to the consumer, and its libraries use
 * this.
 */
const TOLERANCE_S = 5 * 60;

export interface SignedHeaders {
  readonly id: string | undefined;
  readonly timestamp: string | undefined;
  readonly signature: string | undefined;
}

/** Pure. @param secret `whsec_` and base64 @param at milliseconds since the epoch */
export function isSigned(
  secret: string,
  { id, timestamp, signature }: SignedHeaders,
  body: Buffer,
  at: number,
): boolean {
  if (secret === '' || !id || !signature || !/^\d{1,12}$/.test(timestamp ?? '')) return false;
  if (Math.abs(at / 1_000 - Number(timestamp)) > TOLERANCE_S) return false;
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const head = Buffer.from(`${id}.${timestamp}.`);
  const must = createHmac('sha256', key).update(head).update(body).digest();
  // Several while a secret is rotated: one of them must match.
  return signature.split(' ').some((one) => {
    const [version, text = ''] = one.split(',');
    const given = Buffer.from(text, 'base64');
    return version === 'v1' && given.length === must.length && timingSafeEqual(given, must);
  });
}
