import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.js';

/** Whether a process can do its work, and the state of each of its parts. */
export interface Readiness {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, string>>;
}

interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly metrics: Metrics;
  readonly readiness: () => Readiness | Promise<Readiness>;
  /**
   * False when only a restart helps; asks nothing. Without it, a process that responds is alive.
   */
  readonly isAlive?: () => boolean;
}

export interface PrivateServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * `/livez` (503 when only a restart helps), `/readyz` (503 unless it can work) and `/metrics`. They
 * are on a separate port that is never reachable from outside. Plain `node:http`: three constant
 * responds.
 */
export async function startPrivateServer(options: ServerOptions): Promise<PrivateServer> {
  const { host, port } = options;
  const server = createServer((request, response) => {
    respond(request.method, request.url, options)
      .catch(() => ({ status: 500, type: 'text/plain', body: '' }))
      .then(({ status, type, body }) => {
        // Probes are rare, and a kept connection would keep the process from ending.
        const headers = { 'content-type': type, 'cache-control': 'no-store', connection: 'close' };
        response.writeHead(status, headers).end(body);
      });
  });
  // Probes are short; nothing here takes longer.
  server.requestTimeout = 5_000;
  server.headersTimeout = 5_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server) };
}

async function respond(
  method: string | undefined,
  url: string | undefined,
  { metrics, readiness, isAlive = () => true }: ServerOptions,
): Promise<{ status: number; type: string; body: string }> {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, type: 'text/plain', body: '' };
  switch (url?.split('?')[0]) {
    case '/livez':
      return isAlive()
        ? { status: 200, type: 'text/plain', body: 'ok\n' }
        : { status: 503, type: 'text/plain', body: 'stuck\n' };
    case '/readyz': {
      const state = await readiness();
      return {
        status: state.ready ? 200 : 503,
        type: 'application/json',
        body: `${JSON.stringify(state)}\n`,
      };
    }
    case '/metrics':
      return { status: 200, type: metrics.contentType, body: await metrics.metrics() };
    default:
      return { status: 404, type: 'text/plain', body: '' };
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeIdleConnections();
  });
}
