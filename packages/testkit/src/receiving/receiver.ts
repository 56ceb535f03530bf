import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { type Listening, listen } from '../machine/listening.js';

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

/** A merchant's system, or a stand-in for a gateway. It ignores a request that breaks off. */
export async function startReceiver(
  answer: (received: Received, response: ServerResponse) => unknown,
  options: { readonly host?: string; readonly port?: number; readonly tls?: ServerOptions } = {},
): Promise<Receiver> {
  const { host = '127.0.0.1', tls } = options;
  const listener: RequestListener = async (request, response) => {
    const body = await buffer(request).catch(() => null);
    if (body === null) return;
    const { method = '', url: path = '' } = request;
    const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
    await answer({ method, path, headers: Object.fromEntries(headers), body }, response);
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  const listening = await listen(server, options);
  return { ...listening, url: `http${tls ? 's' : ''}://${host}:${listening.port}` };
}
