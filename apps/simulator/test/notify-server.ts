import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands in for a gateway: answers as configured, and records the requests. */
export interface NotifyServer {
  readonly url: string;
  readonly received: readonly ReceivedRequest[];
  /** The highest number of concurrent requests. */
  mostAtOnce(): number;
  close(): Promise<void>;
}

export interface ReceivedRequest {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type Answer =
  | { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> }
  /** The socket stays open without any answer. */
  | 'hang'
  /** Head and half of the body, then nothing. */
  | 'hang_in_body'
  | 'hang_up';

/** @param answer receives the number of the request, from 1; a promise delays the answer */
export async function startNotifyServer(
  answer: (count: number) => Answer | Promise<Answer>,
): Promise<NotifyServer> {
  const received: ReceivedRequest[] = [];
  let open = 0;
  let most = 0;
  const server = createServer(async (request, response) => {
    open += 1;
    most = Math.max(most, open);
    response.on('close', () => {
      open -= 1;
    });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { url: path = '', method = '', headers } = request;
    const count = received.push({ path, method, headers, body: Buffer.concat(chunks) });
    const told = await answer(count);
    if (told === 'hang') return;
    if (told === 'hang_up') return void request.socket.destroy();
    if (told === 'hang_in_body') {
      response.writeHead(200, { 'content-length': '7' });
      return void response.write('succ');
    }
    response.writeHead(told.status, told.headers ?? {});
    response.end(told.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    mostAtOnce: () => most,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
