/** The keys that seal what is stored, and the form of what they seal. */
import { decodeBase64, openAesGcm, sealAesGcm } from '@payonce/providers/crypto';

/** AES-256. */
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
/** Before a nonce; a nonce that begins like it by chance is tried without it too. */
const MARK = 'key:';
const MOST_KEYS = 20;
const ID = /^[A-Za-z0-9_-]{1,32}$/;

export interface EncryptionKey {
  /** Null: a key without an ID, as earlier releases had it; what it seals names no key. */
  readonly id: string | null;
  readonly key: Buffer;
}

/** The first one seals; all of them open. */
export type EncryptionKeys = readonly [EncryptionKey, ...EncryptionKey[]];

/**
 * Reads `ID:BASE64,ID:BASE64`; one of them may lack its ID.
 * @returns the keys, or what is wrong with the text; it quotes nothing of it
 */
export function parseEncryptionKeys(text: string): EncryptionKeys | string {
  const keys: EncryptionKey[] = [];
  for (const part of text.split(',')) {
    const [id, base64] = part.includes(':') ? part.trim().split(':', 2) : [null, part.trim()];
    const key = decodeBase64(base64 ?? '');
    if (key?.length !== KEY_BYTES) {
      return 'must be 32 random bytes in base64 (openssl rand -base64 32), or a list ID:BASE64,ID:BASE64';
    }
    if (id !== null && !ID.test(id ?? '')) {
      return "a key's ID must be 1 to 32 of A-Z, a-z, 0-9, _ and -";
    }
    keys.push({ id: id ?? null, key });
  }
  if (new Set(keys.map(({ id }) => id)).size < keys.length) {
    return 'two keys have the same ID, or two have none';
  }
  if (keys.length > MOST_KEYS) return `must be at most ${MOST_KEYS} keys`;
  const [first, ...others] = keys;
  return first === undefined ? 'must have a key' : [first, ...others];
}

/** @param context part of what is authenticated: it opens in the same context alone */
export function sealWith([{ id, key }]: EncryptionKeys, context: Buffer, plain: Buffer): Buffer {
  const { nonce, sealed } = sealAesGcm(key, context, plain);
  const mark = id === null ? '' : `${MARK}${id}:`;
  return Buffer.concat([Buffer.from(mark), nonce, sealed]);
}

/** Null when none of the keys sealed it, it is of another context, or it was altered since. */
export function openWith(keys: EncryptionKeys, context: Buffer, stored: Uint8Array): Buffer | null {
  const bytes = Buffer.from(stored);
  const named = markOf(bytes);
  const withId = named && keys.find(({ id }) => id === named.id);
  const opened = withId && open(withId.key, context, bytes.subarray(named.length));
  if (opened) return opened;
  const plain = keys.find(({ id }) => id === null);
  return plain ? open(plain.key, context, bytes) : null;
}

/** The ID of the key that sealed it; null for a key without an ID. */
export function sealedUnder(stored: Uint8Array): string | null {
  return markOf(Buffer.from(stored))?.id ?? null;
}

function markOf(bytes: Buffer): { readonly id: string; readonly length: number } | null {
  const text = bytes.subarray(0, MARK.length + 33).toString('latin1');
  const id = /^key:([A-Za-z0-9_-]{1,32}):/.exec(text)?.[1];
  return id === undefined ? null : { id, length: MARK.length + id.length + 1 };
}

function open(key: Buffer, context: Buffer, bytes: Buffer): Buffer | null {
  return openAesGcm(key, bytes.subarray(0, NONCE_BYTES), context, bytes.subarray(NONCE_BYTES));
}
