import { z } from 'zod';
import { secretSource } from '../secret.js';

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
