import { type PublicKey, parsePublicKey } from '../crypto.js';
import type { KeyInfo } from '../provider.js';
import { type ReadSecret, type Retirable, retiredAt, sourceName } from '../secret.js';
import type { AlipaySettings } from './settings.js';

export interface AlipayKey extends Retirable {
  readonly key: PublicKey;
  readonly info: KeyInfo;
}

/**
 * Old apps have RSA keys of 1024 bits; RSA2 has always demanded 2048 (opendocs open/203/105286).
 */
const MINIMUM_BITS = { RSA: 1024, RSA2: 2048 } as const;

/**
 * Reads and parses the channel's keys.
 * @throws Error naming every setting at fault, never a value
 */
export function readKeys(settings: AlipaySettings, readSecret: ReadSecret): AlipayKey[] {
  const faults: string[] = [];
  const keys: AlipayKey[] = [];
  for (const list of ['publicKeys', 'certificates'] as const) {
    for (const [index, source] of settings[list].entries()) {
      const name = sourceName(source);
      try {
        const parsed = parsePublicKey(readSecret(source), MINIMUM_BITS[settings.signType]);
        const retired = retiredAt(source);
        const info = { name, expiresAt: parsed.validTo, retiredAt: retired };
        keys.push({ key: parsed.key, retiredAt: retired, info });
      } catch (error) {
        faults.push(`${list}.${index} (${name}): ${error instanceof Error ? error.message : '?'}`);
      }
    }
  }
  if (faults.length > 0) throw new Error(faults.join('; '));
  return keys;
}
