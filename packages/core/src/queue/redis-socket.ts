import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector } from 'ioredis';
import type { RedisTrust } from './redis-settings.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** How long ioredis lets a socket close. */
export const CLOSE_LIMIT_MS = 2_000;

/**
 * A base for ioredis's `Connector`. ioredis listens for one error of a socket. A handshake that is
 * aborted while the certificate is refused emits two, and the second one would end the process.
 */
export abstract class SocketConnector extends AbstractConnector {
  /** @param tls null: without TLS */
  protected open(address: Address, tls: RedisTrust | null): Socket {
    const socket = tls ? connectTls(secured(address, tls)) : connect(address);
    this.stream = socket;
    return socket.on('error', (error) => {
      this.firstError = error;
    });
  }
}

/** Connects to a known address. */
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

/**
 * Adds the server's name, which Node sends only on request and some servers need to choose a
 * certificate. Prevents environment variables from turning certificate checks off.
 */
function secured(address: Address, tls: RedisTrust) {
  const servername = isIP(address.host) ? {} : { servername: address.host };
  return { ...address, ...tls, ...servername, rejectUnauthorized: true };
}
