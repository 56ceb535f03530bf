import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector } from 'ioredis';
import type { RedisTrust } from './redis-settings.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What ioredis gives a socket to close. */
export const CLOSE_LIMIT_MS = 2_000;

/**
 * For ioredis's `Connector`. ioredis listens for one error of a socket: a handshake that is left while the certificate
 * is refused has two, and the second one would end the process.
 */
export abstract class SocketConnector extends AbstractConnector {
  /** @param tls null: without */
  protected open(address: Address, tls: RedisTrust | null): Socket {
    const socket = tls ? connectTls(secured(address, tls)) : connect(address);
    this.stream = socket;
    return socket.on('error', (error) => {
      this.firstError = error;
    });
  }
}

/** To a server whose address is known. */
export function connectorTo(
  address: Address,
  tls: RedisTrust | null,
  closeLimitMs = CLOSE_LIMIT_MS,
): new () => AbstractConnector {
  return class extends SocketConnector {
    constructor() {
      super(closeLimitMs);
    }

    async connect(): Promise<Socket> {
      this.connecting = true;
      return this.open(address, tls);
    }
  };
}

/** Node tells a server no name unless asked to, and some have a certificate for each; no variable turns checks off. */
function secured(address: Address, tls: RedisTrust) {
  const servername = isIP(address.host) ? {} : { servername: address.host };
  return { ...address, ...tls, ...servername, rejectUnauthorized: true };
}
