/** Connections to allowed addresses only. */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import type { AddressPolicy } from '../endpoints/networks.js';

/** Resolves a name; `dns.lookup` unless a test replaces it. */
export type Lookup = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

export interface GuardOptions {
  readonly policy: AddressPolicy;
  readonly lookup?: Lookup;
  /** The authority to trust instead of the system's authorities. */
  readonly ca?: string;
}

/** Covers TCP and TLS; part of the time limit of a whole delivery. */
const CONNECT_LIMIT_MS = 10_000;

/**
 * A connector for undici. It checks a literal address before it connects. For a name it checks all
 * resolved addresses and connects only to these, which defeats DNS rebinding. It checks the peer
 * address of the socket again before the first byte, including TLS.
 */
export function guardedConnector(options: GuardOptions): buildConnector.connector {
  const { policy, ca } = options;
  const secure = buildConnector({ timeout: CONNECT_LIMIT_MS, ...(ca !== undefined && { ca }) });
  return (target, callback) => {
    const encrypted = target.protocol === 'https:';
    const { hostname: host } = target;
    const allows = (address: string) => policy.allows(address, encrypted);
    if (isIP(host) !== 0 && !allows(host)) {
      callback(refused(), null);
      return;
    }
    const port = Number(target.port) || (encrypted ? 443 : 80);
    const lookup = guardedLookup(options.lookup ?? systemLookup, allows);
    const socket = connect({ host, port, lookup, noDelay: true });
    whenConnected(socket, allows, (error) => {
      if (error !== null) callback(error, null);
      else if (encrypted) secure({ ...target, httpSocket: socket }, callback);
      else callback(null, socket);
    });
  };
}

/** All of them must be allowed: a name with public and private addresses is not trusted. */
function guardedLookup(lookup: Lookup, allows: (address: string) => boolean): LookupFunction {
  return (hostname, { all }, callback) =>
    lookup(hostname, { all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null) callback(error, '');
      else if (first === undefined || !addresses.every(({ address }) => allows(address))) {
        callback(refused(), '');
      } else if (all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
}

/** Calls back once: connected to an allowed address, or with an error. */
export function whenConnected(
  socket: Socket,
  allows: (address: string) => boolean,
  callback: (error: Error | null) => void,
): void {
  const finish = (error: Error | null) => {
    clearTimeout(timer);
    socket.off('connect', onConnect);
    socket.off('error', finish);
    if (error !== null) socket.on('error', () => {}).destroy();
    callback(error);
  };
  const onConnect = () => finish(allows(socket.remoteAddress ?? '') ? null : refused());
  const timer = setTimeout(
    () => finish(new Error(`no connection within ${CONNECT_LIMIT_MS} ms`)),
    CONNECT_LIMIT_MS,
  );
  socket.once('connect', onConnect);
  socket.once('error', finish);
}

function refused(): Error {
  return new Error('the address is not one that order events may be sent to');
}
