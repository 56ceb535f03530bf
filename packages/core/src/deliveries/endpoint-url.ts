import { isIP } from 'node:net';
import type { AddressPolicy } from './networks.js';

/**
 * Why an endpoint cannot have this address:
 * - `not_a_url`: neither an absolute URL of at most 2,048 characters nor `handler:NAME`
 * - `not_https`: plain http needs PAYONCE_WEBHOOK_ALLOW_NETWORKS
 * - `credentials`: user and password would be stored in the clear; the signature is what proves us
 * - `address_refused`: an address that nothing may be sent to
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

/** `handler:NAME`: handed over inside the process that embeds payonce. */
export function isHandler(url: string): boolean {
  return url.startsWith('handler:');
}

/**
 * What can be told without asking the network; where a name leads is checked whenever it is connected to.
 * @returns null: nothing is wrong with it
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

/** The address, where the URL names one instead of a host. */
function literalAddress({ hostname }: URL): string | null {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) === 0 ? null : bare;
}
