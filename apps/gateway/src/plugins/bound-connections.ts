import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import { networkOf } from './network-of.js';

export interface ConnectionLimits {
  readonly most: number;
  /** Of one address that is no trusted proxy. */
  readonly mostOfAddress: number;
}

type IsTrusted = (address: string) => boolean;

/**
 * Bounds the open connections. A new one takes the place of the one that has been silent longest:
 * of its address if that has too many, otherwise of all. Where none is silent, the new one is
 * closed. A trusted proxy speaks for many senders, so its connections count and stay.
 */
export function boundConnections(
  app: FastifyInstance,
  limits: ConnectionLimits,
  isTrusted: IsTrusted,
  metrics: GatewayMetrics,
): void {
  const open = new OpenConnections(limits, isTrusted);
  app.server.on('connection', (socket) => {
    const closed = open.add(socket);
    if (closed === null) return;
    metrics.closedConnections.inc();
    closed.destroy();
  });
  // The whole request has arrived.
  app.addHook('preHandler', ({ raw }, _reply, done) => {
    open.isBusy(raw.socket);
    done();
  });
  app.addHook('onResponse', ({ raw }, _reply, done) => {
    open.isSilent(raw.socket);
    done();
  });
}

interface Connection {
  readonly address: string;
  readonly trusted: boolean;
}

/** Of one address. */
interface Network {
  open: number;
  readonly silent: Set<Socket>;
}

/** A silent one waits for its sender: for a head, or for the rest of a body. */
export class OpenConnections {
  readonly #connections = new Map<Socket, Connection>();
  readonly #networks = new Map<string, Network>();
  /** The longest wait comes first, here and in each network. */
  readonly #silent = new Set<Socket>();

  constructor(
    readonly limits: ConnectionLimits,
    readonly isTrusted: IsTrusted,
  ) {}

  /** @returns the connection to close, an older one or this one, if there are too many */
  add(socket: Socket): Socket | null {
    const remote = socket.remoteAddress ?? '';
    const connection = { address: networkOf(remote), trusted: this.isTrusted(remote) };
    const closed = this.#surplus(socket, connection);
    if (closed === socket) return socket;
    if (closed !== null) this.#remove(closed);
    this.#networkOf(connection).open += 1;
    this.#connections.set(socket, connection);
    this.isSilent(socket);
    socket.once('close', () => this.#remove(socket));
    return closed;
  }

  /** With an open connection. */
  get addresses(): number {
    return this.#networks.size;
  }

  isSilent(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || connection.trusted) return;
    this.isBusy(socket);
    this.#silent.add(socket);
    this.#networkOf(connection).silent.add(socket);
  }

  isBusy(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    this.#silent.delete(socket);
    this.#networkOf(connection).silent.delete(socket);
  }

  #surplus(socket: Socket, connection: Connection): Socket | null {
    const network = connection.trusted ? undefined : this.#networks.get(connection.address);
    if (network && network.open >= this.limits.mostOfAddress) {
      return first(network.silent) ?? socket;
    }
    if (this.#connections.size >= this.limits.most) return first(this.#silent) ?? socket;
    return null;
  }

  #remove(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    this.isBusy(socket);
    this.#connections.delete(socket);
    const network = this.#networkOf(connection);
    network.open -= 1;
    if (network.open === 0) this.#networks.delete(connection.address);
  }

  #networkOf({ address }: Connection): Network {
    const network = this.#networks.get(address) ?? { open: 0, silent: new Set() };
    this.#networks.set(address, network);
    return network;
  }
}

function first<Value>(values: ReadonlySet<Value>): Value | undefined {
  const [value] = values;
  return value;
}
