/** The secrets that sign order events: as merchants hold them, and as they are stored. */
import { decodeBase64, randomSecret } from '@payonce/providers/crypto';
import { type EncryptionKeys, openWith, sealWith } from './encryption-keys.js';

/** Standard Webhooks: 24 to 64 bytes. */
const LEAST_BYTES = 24;
const MOST_BYTES = 64;
/** As long as the hash that it keys. */
const MADE_BYTES = 32;
const PREFIX = 'whsec_';

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

/** @param keys PAYONCE_ENCRYPTION_KEY */
export function sealSecret(keys: EncryptionKeys, owner: SecretOwner, secret: Buffer): Buffer {
  return sealWith(keys, associatedData(owner), secret);
}

/** Null when it was sealed with another key, sealed for another endpoint, or altered since. */
export function openSecret(
  keys: EncryptionKeys,
  owner: SecretOwner,
  stored: Uint8Array,
): Buffer | null {
  return openWith(keys, associatedData(owner), stored);
}

function associatedData({ merchant, name }: SecretOwner): Buffer {
  return Buffer.from(JSON.stringify(['payonce webhook secret', merchant, name]));
}
