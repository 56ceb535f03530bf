/** Endpoints in the channel file. */

import { readChannelText } from '@payonce/core/config/channel-file';
import { parseChannelFile, schemaFaults } from '@payonce/core/config/channels';
import type { Env } from '@payonce/core/config/env';
import { ConfigError, messageOf } from '@payonce/core/runtime/errors';
import {
  type ReadSecret,
  retiredAt,
  type SecretSource,
  secretSource,
} from '@payonce/providers/secret';
import { z } from 'zod';
import { ENDPOINT_NAME } from './commands.js';
import { EVENT_TYPES, type EventType } from './event-types.js';
import type { AddressPolicy } from './networks.js';
import { parseSecret } from './secret.js';
import { faultOfUrl, isHandler, type UrlFault } from './url.js';

export interface DeclaredEndpoint {
  readonly merchant: string;
  readonly name: string;
  readonly url: string;
  readonly eventTypes: readonly EventType[];
  /** Null for handlers. */
  readonly secret: Buffer | null;
  /**
   * The previous secret signs too until then; with a null `expiresAt` as long as the file lists it.
   */
  readonly previous: { readonly secret: Buffer; readonly expiresAt: Date | null } | null;
}

const block = z.strictObject({
  merchant: z.string().min(1).max(64).default('default'),
  url: z.string(),
  /** Empty: every type. */
  events: z.array(z.enum(EVENT_TYPES)).default([]),
  /** The newest first. The second one signs too, until it is removed or until `retiredAt`. */
  secrets: z.array(secretSource).max(2).default([]),
});

/** The faults of an address, in words. */
const URL_FAULT: Readonly<Record<UrlFault, string>> = {
  not_a_url: 'must be an absolute URL, or handler:NAME',
  not_https: 'must be https, or in a network of PAYONCE_WEBHOOK_ALLOW_NETWORKS',
  credentials: 'must not contain a user or a password',
  address_refused: 'is neither a public address nor in PAYONCE_WEBHOOK_ALLOW_NETWORKS',
  other_kind: 'must stay of its kind',
};

/**
 * Reads the file that the environment names. @throws ConfigError with all faults at once, and no
 * value
 */
export function readDeclaredEndpoints(env: Env, policy: AddressPolicy): DeclaredEndpoint[] {
  const { text, readSecret } = readChannelText(env);
  return loadDeclaredEndpoints(text, policy, readSecret);
}

/** @param text the YAML @throws ConfigError */
export function loadDeclaredEndpoints(
  text: string,
  policy: AddressPolicy,
  readSecret: ReadSecret,
): DeclaredEndpoint[] {
  const faults: string[] = [];
  const endpoints = Object.entries(parseChannelFile(text).endpoints).flatMap(([name, content]) => {
    if (!ENDPOINT_NAME.test(name)) {
      faults.push('endpoints.(a name that is not a-z, 0-9, - or is over 40 characters)');
      return [];
    }
    return load(name, content, policy, readSecret, faults) ?? [];
  });
  if (faults.length > 0) throw new ConfigError(faults);
  return endpoints;
}

function load(
  name: string,
  content: unknown,
  policy: AddressPolicy,
  readSecret: ReadSecret,
  faults: string[],
): DeclaredEndpoint | null {
  const at = `endpoints.${name}`;
  const read = block.safeParse(content);
  if (!read.success) {
    faults.push(...schemaFaults(read.error, at));
    return null;
  }
  const { merchant, url, events: eventTypes, secrets: sources } = read.data;
  const fault = faultOfUrl(url, policy);
  if (fault !== null) faults.push(`${at}.url: ${URL_FAULT[fault]}`);
  const secrets = sources.flatMap((source, index) =>
    secretOf(source, readSecret, `${at}.secrets.${index}`, faults),
  );
  const needed = !isHandler(url);
  if (needed !== sources.length > 0) {
    faults.push(
      `${at}.secrets: ${needed ? 'must name one or two' : 'must be left out: a handler has none'}`,
    );
  }
  const [present, former] = secrets;
  const previous = former ? { secret: former.secret, expiresAt: former.retiredAt } : null;
  return { merchant, name, url, eventTypes, secret: present?.secret ?? null, previous };
}

function secretOf(source: SecretSource, readSecret: ReadSecret, at: string, faults: string[]) {
  try {
    const secret = parseSecret(readSecret(source));
    if (secret !== null) return [{ secret, retiredAt: retiredAt(source) }];
    faults.push(`${at}: is not whsec_ and 24 to 64 bytes in base64`);
  } catch (error) {
    faults.push(`${at}: ${messageOf(error)}`);
  }
  return [];
}
