/** The secrets that sign order events: as merchants hold them, and as they are stored. */
import { decodeBase64, openAesGcm, randomSecret, sealAesGcm } from '@payonce/providers/crypto';

/** Standard Webhooks: 24 to 64 bytes. */
const LEAST_BYTES = 24;
const MOST_BYTES = 64;
/** As long as the hash that it keys. */
const MADE_BYTES = 32;
const PREFIX = 'whsec_';
const NONCE_BYTES = 12;

/**
 * The owner of a secret. A sealed secret that was moved to another endpoint's row does not open.
 */
export interface SecretOwner {
  readonly merchant: string;
  readonly name: string;
}

/** A new secret as shown once to a merchant: `whsec_` and base64. */
export function makeSecret(): string {
  return secretText(randomSecret(MADE_BYTES));
}

/** The canonical text of a secret: `parseSecret` accepts no other for these bytes. */
export function secretText(secret: Buffer): string {
  return PREFIX + secret.toString('base64');
}

/** Null for anything other than a `whsec_` secret of 24 to 64 bytes. */
export function parseSecret(text: string): Buffer | null {
  const bytes = text.startsWith(PREFIX) ? decodeBase64(text.slice(PREFIX.length)) : null;
  return bytes && bytes.length >= LEAST_BYTES && bytes.length <= MOST_BYTES ? bytes : null;
}

/** @param key PAYONCE_ENCRYPTION_KEY, 32 bytes @returns nonce, ciphertext and tag in one */
export function sealSecret(key: Buffer, owner: SecretOwner, secret: Buffer): Buffer {
  const { nonce, sealed } = sealAesGcm(key, associatedData(owner), secret);
  return Buffer.concat([nonce, sealed]);
}

/** Null when it was sealed with another key, sealed for another endpoint, or altered since. */
export function openSecret(key: Buffer, owner: SecretOwner, stored: Uint8Array): Buffer | null {
  const bytes = Buffer.from(stored);
  const nonce = bytes.subarray(0, NONCE_BYTES);
  return openAesGcm(key, nonce, associatedData(owner), bytes.subarray(NONCE_BYTES));
}

function associatedData({ merchant, name }: SecretOwner): Buffer {
  return Buffer.from(JSON.stringify(['payonce webhook secret', merchant, name]));
}
