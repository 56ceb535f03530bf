import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector } from 'ioredis';
import type { Address } from './guides.js';
import type { RedisTrust } from './redis-settings.js';

/** What ioredis gives a socket to close. */
export const CLOSE_LIMIT_MS = 2_000;

/**
 * ioredis listens for one error of a socket. A handshake that is left while the certificate is refused has two, and the
 * second one would end the process.
 * @param tls null: without
 */
export function openSocket(
  address: Address,
  tls: RedisTrust | null,
  onError: (error: Error) => void,
): Socket {
  const socket = tls ? connectTls({ ...address, ...tls }) : connect(address);
  return socket.on('error', onError);
}

/** For ioredis's `Connector`: with TLS to the one server there is. Without TLS ioredis's own does. */
export function tlsConnector(address: Address, tls: RedisTrust): new () => AbstractConnector {
  return class TlsConnector extends AbstractConnector {
    constructor() {
      super(CLOSE_LIMIT_MS);
    }

    async connect(): Promise<Socket> {
      this.connecting = true;
      const socket = openSocket(address, tls, (error) => {
        this.firstError = error;
      });
      this.stream = socket;
      return socket;
    }
  };
}
