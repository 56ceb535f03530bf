import { connect, type Socket } from 'node:net';

/** The fault of a link; it affects open connections and new ones. */
export type LinkFault =
  /** Every connection is reset at once. */
  | { readonly kind: 'refuse' }
  /**
   * A black hole, one or both ways: nothing passes, nothing is closed; held data passes after
   * `heal`.
   */
  | { readonly kind: 'hang'; readonly direction: 'to_server' | 'from_server' | 'both' }
  /** Everything passes `ms` late, both ways. */
  | { readonly kind: 'delay'; readonly ms: number }
  /**
   * Each connection breaks in the reply, after as many bytes of it as `afterBytes` returns for that
   * connection.
   */
  | { readonly kind: 'cut'; readonly afterBytes: () => number };

/** One connection through a fault proxy. */
export interface Link {
  suffer(fault: LinkFault | null): void;
  reset(): void;
  readonly closed: Promise<void>;
}

export function openLink(
  client: Socket,
  target: { readonly host: string; readonly port: number },
  watch?: (chunk: Buffer) => void,
): Link {
  const server = connect({ ...target, allowHalfOpen: true, noDelay: true });
  const reset = () => {
    resetNow(client);
    resetNow(server);
  };
  for (const [socket, other] of [
    [client, server],
    [server, client],
  ] as const) {
    socket.on('error', () => {});
    // Passes a reset on as a reset; an end passes through the pump, after the data.
    socket.on('close', (failed) => {
      if (failed) resetNow(other);
    });
  }
  // Reads nothing before the target is connected: data that it never received must not count as
  // received.
  const toServer = new Pump(client, server, reset, watch);
  const fromServer = new Pump(server, client, reset);
  toServer.hang(true);
  let hung = false;
  server.once('connect', () => toServer.hang(hung));

  return {
    reset,
    suffer(fault) {
      const hangs = fault?.kind === 'hang' ? fault.direction : null;
      hung = hangs === 'both' || hangs === 'to_server';
      toServer.hang(hung || server.connecting);
      fromServer.hang(hangs === 'both' || hangs === 'from_server');
      const delayMs = fault?.kind === 'delay' ? fault.ms : 0;
      toServer.delay(delayMs);
      fromServer.delay(delayMs);
      fromServer.cut(fault?.kind === 'cut' ? fault.afterBytes() : null);
    },
    closed: Promise.all([closing(client), closing(server)]).then(() => {}),
  };
}

/**
 * `resetAndDestroy` alone would first wait until everything is written, without end for a peer that
 * reads nothing.
 */
function resetNow(socket: Socket): void {
  if (socket.destroyed) return;
  socket.resetAndDestroy();
  socket.destroy();
}

function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** A piece in transit, or the end of the stream. */
interface Piece {
  readonly chunk: Buffer | null;
  dueAt: number;
}

/** One direction of a link: reads, waits as configured, writes, in order. */
class Pump {
  readonly #pieces: Piece[] = [];
  #hung = false;
  #full = false;
  #delayMs = 0;
  #left: number | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly breakLink: () => void,
    private readonly watch: (chunk: Buffer) => void = () => {},
  ) {
    from.on('data', (chunk: Buffer) => this.#take(chunk));
    from.once('end', () => this.#take(null));
    to.on('drain', () => {
      this.#full = false;
      this.#read();
    });
    to.once('close', () => clearTimeout(this.#timer));
  }

  hang(hung: boolean): void {
    this.#hung = hung;
    this.#read();
    this.#forward();
  }

  delay(ms: number): void {
    this.#delayMs = ms;
    if (ms === 0) for (const piece of this.#pieces) piece.dueAt = 0;
    this.#forward();
  }

  /** Breaks the link after so many more bytes; null means never. */
  cut(bytes: number | null): void {
    this.#left = bytes;
  }

  #read(): void {
    if (this.#hung || this.#full) this.from.pause();
    else this.from.resume();
  }

  #take(chunk: Buffer | null): void {
    this.#pieces.push({ chunk, dueAt: performance.now() + this.#delayMs });
    this.#forward();
  }

  #forward(): void {
    clearTimeout(this.#timer);
    if (this.to.destroyed) return;
    for (let next = this.#pieces[0]; next && !this.#hung; next = this.#pieces[0]) {
      const waitMs = next.dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#forward(), waitMs);
        return;
      }
      this.#pieces.shift();
      if (next.chunk === null) this.to.end();
      else this.#put(next.chunk);
    }
  }

  #put(chunk: Buffer): void {
    if (this.#left !== null && chunk.length > this.#left) {
      this.#breakAfter(chunk.subarray(0, this.#left));
      return;
    }
    if (this.#left !== null) this.#left -= chunk.length;
    this.watch(chunk);
    this.#full = !this.to.write(chunk);
    if (this.#full) this.#read();
  }

  #breakAfter(rest: Buffer): void {
    this.#left = 0;
    this.#hung = true;
    this.from.pause();
    if (rest.length === 0) this.breakLink();
    else this.to.write(rest, this.breakLink);
  }
}
