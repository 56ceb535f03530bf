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

/** One direction of a link: reads, waits as configured, writes, in order. */
interface Pump {
  hang(hung: boolean): void;
  delay(ms: number): void;
  /** Breaks the link after so many more bytes; null means never. */
  cut(bytes: number | null): void;
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
  const toServer = pump(client, server, reset, watch);
  const fromServer = pump(server, client, reset);
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

function pump(
  from: Socket,
  to: Socket,
  breakLink: () => void,
  watch: (chunk: Buffer) => void = () => {},
): Pump {
  const pieces: Piece[] = [];
  let hung = false;
  let full = false;
  let delayMs = 0;
  let left: number | null = null;
  let timer: NodeJS.Timeout | undefined;

  const read = () => (hung || full ? from.pause() : from.resume());
  const put = (chunk: Buffer) => {
    if (left !== null && chunk.length > left) {
      const rest = chunk.subarray(0, left);
      left = 0;
      hung = true;
      from.pause();
      if (rest.length === 0) breakLink();
      else to.write(rest, breakLink);
      return;
    }
    if (left !== null) left -= chunk.length;
    watch(chunk);
    full = !to.write(chunk);
    if (full) read();
  };
  const forward = () => {
    clearTimeout(timer);
    if (to.destroyed) return;
    for (let next = pieces[0]; next && !hung; next = pieces[0]) {
      const waitMs = next.dueAt - performance.now();
      if (waitMs > 0) {
        timer = setTimeout(forward, waitMs);
        return;
      }
      pieces.shift();
      if (next.chunk === null) to.end();
      else put(next.chunk);
    }
  };
  const take = (chunk: Buffer | null) => {
    pieces.push({ chunk, dueAt: performance.now() + delayMs });
    forward();
  };
  from.on('data', take);
  from.once('end', () => take(null));
  to.on('drain', () => {
    full = false;
    read();
  });
  to.once('close', () => clearTimeout(timer));

  return {
    hang(value) {
      hung = value;
      read();
      forward();
    },
    delay(ms) {
      delayMs = ms;
      if (ms === 0) for (const piece of pieces) piece.dueAt = 0;
      forward();
    },
    cut(bytes) {
      left = bytes;
    },
  };
}
