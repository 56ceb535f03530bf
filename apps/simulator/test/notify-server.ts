import { type Received, startReceiver } from '@payonce/testkit/receiving/receiver';

/** Stands in for a gateway: answers as configured, and records the requests. */
export interface NotifyServer {
  readonly url: string;
  readonly received: readonly Received[];
  /** The highest number of concurrent requests. */
  mostAtOnce(): number;
  close(): Promise<void>;
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
  const received: Received[] = [];
  let open = 0;
  let most = 0;
  const receiver = await startReceiver(async (request, response) => {
    open += 1;
    most = Math.max(most, open);
    response.on('close', () => {
      open -= 1;
    });
    const told = await answer(received.push(request));
    if (told === 'hang') return;
    if (told === 'hang_up') return void response.destroy();
    if (told === 'hang_in_body') {
      response.writeHead(200, { 'content-length': '7' });
      return void response.write('succ');
    }
    response.writeHead(told.status, told.headers ?? {});
    response.end(told.body);
  });
  return { url: receiver.url, received, mostAtOnce: () => most, close: receiver.close };
}
