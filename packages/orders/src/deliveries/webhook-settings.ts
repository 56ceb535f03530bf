import { type Env, readEnv } from '@payonce/core/config/env';
import { z } from 'zod';
import { parseEncryptionKeys } from '../endpoints/encryption-keys.js';
import {
  type AddressPolicy,
  createAddressPolicy,
  type Network,
  parseNetwork,
} from '../endpoints/networks.js';

/** Settings of every process that creates endpoints or sends to them. */
export const webhookEnv = {
  /** Seals the secrets that sign order events. Without it no endpoint with a secret is used. */
  PAYONCE_ENCRYPTION_KEY: z
    .string()
    .transform((text, context) => {
      const keys = parseEncryptionKeys(text);
      if (typeof keys !== 'string') return keys;
      context.addIssue(keys);
      return z.NEVER;
    })
    .optional(),
  /** Networks that order events may be sent to although they are not public, and without TLS. */
  PAYONCE_WEBHOOK_ALLOW_NETWORKS: z
    .string()
    .default('')
    .transform((text, context): readonly Network[] => {
      const parts = text.split(',').flatMap((part) => part.trim() || []);
      const networks = parts.map(parseNetwork);
      const found = networks.filter((network) => network !== null);
      if (found.length === parts.length) return found;
      context.addIssue('must be comma-separated networks such as 10.0.0.0/8');
      return z.NEVER;
    }),
};

/** The addresses that order events may be sent to. @throws ConfigError */
export function readAddressPolicy(env: Env): AddressPolicy {
  const { PAYONCE_WEBHOOK_ALLOW_NETWORKS: networks } = webhookEnv;
  const read = readEnv({ PAYONCE_WEBHOOK_ALLOW_NETWORKS: networks }, env);
  return createAddressPolicy(read.PAYONCE_WEBHOOK_ALLOW_NETWORKS);
}
