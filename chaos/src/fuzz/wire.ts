import { connect, type Socket } from 'node:net';

/** Bytes for a server, and how to send them. */
export interface WireRequest {
  readonly bytes: Buffer;
  /**
   * True for a POST whose head states its length correctly: a whole reply is required, and the
   * connection may be reused. Other requests get a separate connection, which is closed after them.
   */
  readonly wellFramed: boolean;
}

export interface WireReply {
  readonly status: number;
  readonly body: Buffer;
}

/** One connection to 127.0.0.1, opened again when needed. No HTTP client would send these bytes. */
export interface Wire {
  /**
   * Null when the server ended the connection, or was silent for too long, without a whole reply.
   */
  exchange(request: WireRequest): Promise<WireReply | null>;
  close(): void;
}

/** More than the server's limit for an incomplete request. */
const REPLY_LIMIT_MS = 8_000;

export function openWire(port: number): Wire {
  let kept: Socket | null = null;
  return {
    async exchange({ bytes, wellFramed }) {
      const reused = wellFramed && kept !== null && !kept.destroyed ? kept : null;
      if (reused !== null) kept = null;
      const socket = reused ?? connect({ port, host: '127.0.0.1', noDelay: true });
      const answer = await ask(socket, bytes, wellFramed);
      // The server may end an idle connection at any moment: that is no answer to this request.
      if (answer === null && reused !== null) {
        return this.exchange({ bytes, wellFramed });
      }
      if (answer?.keep && wellFramed) kept = socket;
      else socket.destroy();
      return answer;
    },
    close: () => kept?.destroy(),
  };
}

interface Answer extends WireReply {
  readonly keep: boolean;
}

function ask(socket: Socket, bytes: Buffer, wellFramed: boolean): Promise<Answer | null> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const settle = (answer: Answer | null) => {
      clearTimeout(timer);
      for (const event of ['data', 'end', 'close'] as const) socket.removeAllListeners(event);
      resolve(answer);
    };
    const timer = setTimeout(() => settle(null), REPLY_LIMIT_MS);
    if (socket.listenerCount('error') === 0) socket.on('error', () => {}); // `close` follows
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const answer = readAnswer(received, false, false);
      if (answer !== null && wellFramed) settle(answer);
    });
    for (const event of ['end', 'close'] as const) {
      socket.once(event, () => settle(readAnswer(received, true, !wellFramed)));
    }
    if (wellFramed) socket.write(bytes);
    else socket.end(bytes);
  });
}

const HEAD = /^HTTP\/1\.[01] (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/;

/**
 * Null until the reply is complete; without a length it is complete when the connection ends.
 * @param lenient a cut one counts too: HEAD has a length and no body
 */
function readAnswer(received: Buffer, ended: boolean, lenient: boolean): Answer | null {
  const text = received.toString('latin1');
  const [head, statusText, headers = ''] = HEAD.exec(text) ?? [];
  if (head === undefined) return null;
  const status = Number(statusText);
  // 100 Continue: the reply follows.
  if (status < 200) return readAnswer(received.subarray(head.length), ended, lenient);
  const keep = !/^connection: close\r$/im.test(headers);
  const length = /^content-length: (\d+)\r$/im.exec(headers)?.[1];
  const body = received.subarray(head.length);
  if (status === 204) return { status, body: body.subarray(0, 0), keep };
  if (length === undefined) return ended ? { status, body, keep: false } : null;
  if (body.length < Number(length) && !(ended && lenient)) return null;
  return { status, body: body.subarray(0, Number(length)), keep };
}
