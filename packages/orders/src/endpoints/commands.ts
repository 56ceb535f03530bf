/** An operator creates an endpoint, changes it, or rotates its secret. */

import { equalTexts } from '@payonce/providers/crypto';
import type { Operator } from '../database/audit.js';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction, type Tx } from '../database/transaction.js';
import {
  auditEndpoint,
  type Done,
  type EndpointCommand,
  type ManagedByFile,
  target,
  type UnknownEndpoint,
  withEndpoint,
} from './command.js';
import type { EncryptionKeys } from './encryption-keys.js';
import type { EventType } from './event-types.js';
import { lockEndpointsForChange } from './lock.js';
import type { AddressPolicy } from './networks.js';
import {
  type Endpoint,
  insertEndpoint,
  keepFormerSecret,
  replaceSecret,
  sealedSecretOf,
  updateTarget,
} from './rows.js';
import {
  makeSecret,
  openSecret,
  parseSecret,
  type SecretOwner,
  sealSecret,
  secretText,
} from './secret.js';
import { faultOfUrl, isHandler, type UrlFault } from './url.js';

export interface EndpointDeps extends DatabaseDeps {
  /**
   * PAYONCE_ENCRYPTION_KEY, 32 bytes. Without it there can be no secret, so no endpoint is created.
   */
  readonly encryptionKeys: EncryptionKeys | null;
  readonly policy: AddressPolicy;
}

/** An endpoint's name: unique within its merchant, and never changed. */
export const ENDPOINT_NAME = /^[a-z0-9-]{1,40}$/;

/** The default time in which a merchant's system can take over a new secret. */
export const ROTATION_GRACE_MS = 24 * 3_600_000;

type InvalidUrl = { readonly result: 'invalid_url'; readonly why: UrlFault };
/** PAYONCE_ENCRYPTION_KEY is not set; or the given text is no `whsec_` secret of 24 to 64 bytes. */
type NoSecret = { readonly result: 'no_encryption_key' | 'invalid_secret' };
/** `secret`: shown now and never again; null for handlers, which have none. */
type Made = {
  readonly result: 'done';
  readonly endpoint: Endpoint;
  readonly secret: string | null;
};

export type CreateEndpointOutcome =
  | Made
  | { readonly result: 'name_taken' }
  | InvalidUrl
  | NoSecret;
export type UpdateEndpointOutcome = Done | UnknownEndpoint | ManagedByFile | InvalidUrl;
export type RotateSecretOutcome =
  | Made
  | UnknownEndpoint
  | ManagedByFile
  | NoSecret
  /** A handler. */
  | { readonly result: 'has_no_secret' };

/**
 * @param command.secret a secret that the merchant already has; otherwise one is generated
 * @throws AppError `database_unavailable`
 */
export async function createEndpoint(
  deps: EndpointDeps,
  command: Operator & {
    readonly merchant: string;
    readonly name: string;
    readonly url: string;
    readonly eventTypes: readonly EventType[];
    readonly secret?: string | undefined;
  },
): Promise<CreateEndpointOutcome> {
  const { merchant, name, url, eventTypes } = command;
  const why = faultOfUrl(url, deps.policy);
  if (why !== null) return { result: 'invalid_url', why };
  const secret = isHandler(url) ? NONE : secretFor(deps, command, command.secret);
  if ('result' in secret) return secret;
  return inTransaction(deps, async (tx): Promise<CreateEndpointOutcome> => {
    const now = deps.clock();
    const wanted = {
      merchant,
      name,
      url,
      eventTypes,
      source: 'api',
      secret: secret.sealed,
    } as const;
    await lockEndpointsForChange(tx);
    const endpoint = await insertEndpoint(tx, now, wanted);
    if (endpoint === null) return { result: 'name_taken' };
    await auditEndpoint(tx, now, command, 'endpoint.create', endpoint, target(endpoint));
    return { result: 'done', endpoint, secret: secret.text };
  });
}

/**
 * Changes the address or the event types; omitted fields stay. @throws AppError
 * `database_unavailable`
 */
export async function updateEndpoint(
  deps: EndpointDeps,
  command: EndpointCommand & {
    readonly url?: string | undefined;
    readonly eventTypes?: readonly EventType[] | undefined;
  },
): Promise<UpdateEndpointOutcome> {
  return withEndpoint(deps, command, async (tx, now, before) => {
    if (before.source === 'file') return { result: 'managed_by_file' };
    const { url = before.url, eventTypes = before.eventTypes } = command;
    const otherKind = isHandler(url) !== isHandler(before.url);
    const why = otherKind ? 'other_kind' : faultOfUrl(url, deps.policy);
    if (why !== null) return { result: 'invalid_url', why };
    const same = url === before.url && eventTypes.join() === before.eventTypes.join();
    if (same) return { result: 'done', endpoint: before, again: true };
    const endpoint = await updateTarget(tx, now, before.id, { url, eventTypes });
    const detail = { before: target(before), after: target(endpoint) };
    await auditEndpoint(tx, now, command, 'endpoint.update', endpoint, detail);
    return { result: 'done', endpoint, again: false };
  });
}

/**
 * Sets a new secret. The previous one signs beside it for `graceMs` (0: not at all), so that a
 * merchant's system can switch without a gap. An older secret no longer signs. A repeated request
 * with the present secret replaces none: it only resets the end of the previous secret's grace
 * period.
 * @throws AppError `database_unavailable`
 */
export async function rotateSecret(
  deps: EndpointDeps,
  command: EndpointCommand & {
    readonly secret?: string | undefined;
    readonly graceMs?: number | undefined;
  },
): Promise<RotateSecretOutcome> {
  const { graceMs = ROTATION_GRACE_MS } = command;
  return withEndpoint(deps, command, async (tx, now, before) => {
    if (before.source === 'file') return { result: 'managed_by_file' };
    if (isHandler(before.url)) return { result: 'has_no_secret' };
    const secret = secretFor(deps, before, command.secret);
    if ('result' in secret) return secret;
    const graceEnds = graceMs > 0 ? new Date(now.getTime() + graceMs) : null;
    const endpoint = (await hasSecret(tx, deps, before, secret.text))
      ? await keepFormerSecret(tx, now, before.id, graceEnds)
      : await replaceSecret(tx, now, before.id, { secret: secret.sealed, graceEnds });
    await auditEndpoint(tx, now, command, 'endpoint.rotate_secret', endpoint, { graceEnds });
    return { result: 'done', endpoint, secret: secret.text };
  });
}

async function hasSecret(
  tx: Tx,
  { encryptionKeys }: EndpointDeps,
  endpoint: Endpoint,
  text: string,
): Promise<boolean> {
  const present =
    encryptionKeys && openSecret(encryptionKeys, endpoint, await sealedSecretOf(tx, endpoint.id));
  return present !== null && equalTexts(secretText(present), text);
}

const NONE = { sealed: null, text: null } as const;

function secretFor(
  { encryptionKeys }: EndpointDeps,
  owner: SecretOwner,
  given: string | undefined,
): { readonly sealed: Buffer; readonly text: string } | NoSecret {
  if (encryptionKeys === null) return { result: 'no_encryption_key' };
  const text = given ?? makeSecret();
  const secret = parseSecret(text);
  if (secret === null) return { result: 'invalid_secret' };
  return { sealed: sealSecret(encryptionKeys, owner, secret), text };
}
