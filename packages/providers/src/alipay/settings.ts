import { z } from 'zod';
import { type PublicKey, parsePublicKey } from '../crypto.js';
import type { KeyInfo } from '../provider.js';
import { type ReadSecret, type Retirable, retiredAt, secretSource, sourceName } from '../secret.js';

/** Quote it in YAML, which reads bare digits as a number and may round the last ones. */
const alipayNumber = z.string().min(1).max(64);

/** A channel of Alipay's open platform (the channel file's block). */
export const alipaySettings = z
  .strictObject({
    appId: alipayNumber,
    /** The accounts (2088…) that may be paid; empty: any account of this app. */
    sellerIds: z.array(alipayNumber).default([]),
    /**
     * Alipay's public key, not the app's. A notice of Alipay names no key: all live ones are tried.
     */
    publicKeys: z.array(secretSource).default([]),
    /** Alipay's public key certificate, for apps in certificate mode. */
    certificates: z.array(secretSource).default([]),
    /** `RSA` (SHA-1) only for old apps that never changed to RSA2. */
    signType: z.enum(['RSA2', 'RSA']).default('RSA2'),
  })
  .refine(({ publicKeys, certificates }) => publicKeys.length + certificates.length > 0, {
    path: ['publicKeys'],
    message: 'at least one entry in publicKeys or certificates is needed',
  });

export type AlipaySettings = z.infer<typeof alipaySettings>;

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
export function loadAlipayKeys(settings: AlipaySettings, readSecret: ReadSecret): AlipayKey[] {
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
