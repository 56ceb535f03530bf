import { isIP } from 'node:net';
import type { AddressPolicy } from './networks.js';

/**
 * Why an endpoint cannot have this address:
 * - `not_a_url`: neither an absolute URL of at most 2,048 characters nor `handler:NAME`
 * - `not_https`: plain http needs PAYONCE_WEBHOOK_ALLOW_NETWORKS
 * - `credentials`: user and password would be stored in plain text; the signature identifies
 *   payonce
 * - `address_refused`: order events may not be sent to this address
 * - `other_kind`: a handler stays a handler, and an address an address
 */
export const URL_FAULTS = [
  'not_a_url',
  'not_https',
  'credentials',
  'address_refused',
  'other_kind',
] as const;
export type UrlFault = (typeof URL_FAULTS)[number];

const MOST_CHARACTERS = 2_048;
const HANDLER = /^handler:[a-z0-9-]{1,40}$/;

/** `handler:NAME`: delivered inside the process that embeds payonce. */
export function isHandler(url: string): boolean {
  return url.startsWith('handler:');
}

/**
 * Checks an address without the network; each connection checks the resolved addresses.
 * @returns null when there is no fault
 */
export function faultOfUrl(text: string, policy: AddressPolicy): UrlFault | null {
  if (HANDLER.test(text)) return null;
  if (text.length > MOST_CHARACTERS || isHandler(text)) return 'not_a_url';
  if (!URL.canParse(text)) return 'not_a_url';
  const url = new URL(text);
  const encrypted = url.protocol === 'https:';
  const plain = url.protocol === 'http:' && policy.hasPlainNetworks;
  if (!encrypted && !plain) return 'not_https';
  if (url.username !== '' || url.password !== '') return 'credentials';
  const address = literalAddress(url);
  return address !== null && !policy.allows(address, encrypted) ? 'address_refused' : null;
}

/** The address, if the URL names one instead of a host. */
function literalAddress({ hostname }: URL): string | null {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) === 0 ? null : bare;
}
