/**
 * Which addresses order events may be sent to. Pure; a connection checks the address that it really
 * uses.
 */
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Network = readonly [Address, number];

export interface AddressPolicy {
  /** @param address as text; anything that is no address is refused @param encrypted over TLS */
  allows(address: string, encrypted: boolean): boolean;
  /** Whether plain http can be allowed at all. */
  readonly hasPlainNetworks: boolean;
}

/** Azure's metadata service: the only one outside the ranges that are refused already. */
const METADATA = new Set(['168.63.129.16']);

/** The globally routable range: the deprecated `::a.b.c.d` would otherwise count as unicast. */
const GLOBAL_IPV6: Network = [ipaddr.IPv6.parse('2000::'), 3];

/**
 * Allows public addresses over TLS, and every address of the named networks, over TLS or not.
 * Refuses private, link-local, loopback, multicast and reserved ones, also as IPv4-mapped, NAT64,
 * 6to4 or Teredo.
 */
export function createAddressPolicy(allowed: readonly Network[]): AddressPolicy {
  return {
    hasPlainNetworks: allowed.length > 0,
    allows(text, encrypted) {
      if (!ipaddr.isValid(text)) return false;
      const address = ipaddr.process(text);
      if (allowed.some((network) => contains(network, address))) return true;
      return encrypted && isPublic(address);
    },
  };
}

/** A network as `10.0.0.0/8`, or one address. Null for anything else. */
export function parseNetwork(text: string): Network | null {
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    const address = ipaddr.process(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  } catch {
    return null;
  }
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast' || METADATA.has(address.toString())) return false;
  return address.kind() === 'ipv4' || contains(GLOBAL_IPV6, address);
}

function contains([network, bits]: Network, address: Address): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}
