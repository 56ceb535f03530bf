import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { type Listening, listen } from '../machine/listening.js';

/** Far more than any order event or notification has. */
const MAX_BODY_BYTES = 1_024 * 1_024;

/** A complete request. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Receiver extends Listening {
  /** Without a path. */
  readonly url: string;
}

/**
 * A merchant's system, or a stand-in for a gateway. It ignores a request that breaks off or is too
 * long.
 */
export async function startReceiver(
  answer: (received: Received, response: ServerResponse) => unknown,
  options: { readonly host?: string; readonly port?: number; readonly tls?: ServerOptions } = {},
): Promise<Receiver> {
  const { host = '127.0.0.1', tls } = options;
  const listener: RequestListener = async (request, response) => {
    const body = await bodyOf(request);
    if (body === null) return;
    const { method = '', url: path = '' } = request;
    const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
    await answer({ method, path, headers: Object.fromEntries(headers), body }, response);
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  const listening = await listen(server, options);
  return { ...listening, url: `http${tls ? 's' : ''}://${host}:${listening.port}` };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_BODY_BYTES) return null;
    }
  } catch {
    return null;
  }
  return Buffer.concat(chunks);
}
