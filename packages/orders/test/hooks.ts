/**
 * A merchant's system: a real server that verifies requests with the `standardwebhooks` package.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { onTestFinished } from 'vitest';

export interface Heard {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Read from the body, whether or not the signature is valid. */
  readonly message: {
    readonly type: string;
    readonly timestamp: string;
    readonly data: {
      readonly orderNumber: string;
      readonly milestone: string;
      readonly version: number;
    };
  };
}

export interface HookServer {
  readonly url: string;
  readonly port: number;
  readonly heard: readonly Heard[];
  /** `number milestone`, in order of arrival. */
  told(): string[];
  readonly sockets: ReadonlySet<Socket>;
}

/** Answers, or not, as the test decides. */
type Answer = (response: ServerResponse, heard: Heard) => void;

export const ok: Answer = (response) => void response.writeHead(204).end();
export const fail: Answer = (response) => void response.writeHead(500).end('not today');

export async function hookServer(
  answer: Answer = ok,
  options: { readonly host?: string; readonly port?: number; readonly tls?: ServerOptions } = {},
): Promise<HookServer> {
  const heard: Heard[] = [];
  const sockets = new Set<Socket>();
  const listener: RequestListener = async (request, response) => {
    const body = await bodyOf(request);
    const { headers } = request;
    const one = { id: String(headers['webhook-id']), headers, body, message: JSON.parse(body) };
    heard.push(one);
    answer(response, one);
  };
  const server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  const { host = '127.0.0.1', port = 0 } = options;
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http${options.tls ? 's' : ''}://${host}:${address.port}/hooks`,
    port: address.port,
    heard,
    sockets,
    told: () => heard.map(({ message }) => `${message.data.orderNumber} ${message.data.milestone}`),
  };
}

/** @throws when the signature is not the secret's, or the time is not now */
export function verify(secret: string, { body, headers }: Heard): unknown {
  const flat = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, String(value)]),
  );
  return new Webhook(secret).verify(body, flat);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
