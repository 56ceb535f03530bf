import ipaddr from 'ipaddr.js';

/** IPv6 clients usually control a whole /64, so limits are per /64. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (!('parts' in parsed)) return parsed.toString();
  return parsed.parts.slice(0, 4).join(':');
}
