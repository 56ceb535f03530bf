import { type PublicKey, parsePublicKey } from '../crypto.js';
import type { KeyInfo } from '../provider.js';
import { type ReadSecret, type Retirable, retiredAt, sourceName } from '../secret.js';
import type { WechatpaySettings } from './settings.js';

/** WeChat Pay signs with RSA 2048 (the algorithm's name says so); a longer key does no harm. */
const MINIMUM_RSA_BITS = 2048;

/** AES-256: the APIv3 key's text is the key itself. */
const API_V3_KEY_BYTES = 32;

export interface SigningKey extends Retirable {
  readonly key: PublicKey;
}

export interface ContentKey extends Retirable {
  readonly key: Buffer;
}

export interface WechatpayKeys {
  /** By upper-case serial. */
  readonly signing: ReadonlyMap<string, SigningKey>;
  readonly content: readonly ContentKey[];
  readonly infos: readonly KeyInfo[];
}

/**
 * Reads every key of a channel.
 * @throws Error listing all faults at once, each by its setting's name and never with a value.
 */
export function readKeys(settings: WechatpaySettings, readSecret: ReadSecret): WechatpayKeys {
  const signing = new Map<string, SigningKey>();
  const content: ContentKey[] = [];
  const infos: KeyInfo[] = [];
  const faults: string[] = [];
  const attempt = (setting: string, read: () => void) => {
    try {
      read();
    } catch (error) {
      faults.push(`${setting}: ${error instanceof Error ? error.message : 'cannot be read'}`);
    }
  };

  for (const [serial, source] of Object.entries(settings.keys)) {
    attempt(`keys.${serial}`, () => {
      const { key, validTo } = readSigningKey(serial, readSecret(source));
      const retired = retiredAt(source);
      signing.set(serial.toUpperCase(), { key, retiredAt: retired });
      infos.push({ name: serial, expiresAt: validTo, retiredAt: retired });
    });
  }
  for (const [index, source] of settings.apiV3Keys.entries()) {
    attempt(`apiV3Keys[${index}]`, () => {
      const retired = retiredAt(source);
      content.push({ key: readContentKey(readSecret(source)), retiredAt: retired });
      infos.push({ name: sourceName(source), expiresAt: null, retiredAt: retired });
    });
  }
  if (faults.length > 0) throw new Error(faults.join('; '));
  return { signing, content, infos };
}

function readSigningKey(serial: string, text: string) {
  const parsed = parsePublicKey(text, MINIMUM_RSA_BITS);
  if (parsed.serial !== null && parsed.serial !== serial.toUpperCase()) {
    throw new Error('is a certificate with another serial');
  }
  return parsed;
}

function readContentKey(text: string): Buffer {
  // A file usually ends in a line break; the key has only letters and digits.
  const key = Buffer.from(text.trim(), 'utf8');
  if (key.length !== API_V3_KEY_BYTES) throw new Error('is not exactly 32 bytes long');
  return key;
}
