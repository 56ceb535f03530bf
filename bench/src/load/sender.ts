import { Client, type Dispatcher } from 'undici';
import type { WireRequest } from '../requests.js';

// Not testkit's sender: that needs five times the processor time for a request, and would take it
// from the measured process.

/** A request that is serialised only once. */
export interface Prepared {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** A provider waits five seconds at most. */
const REPLY_LIMIT_MS = 5_000;

export function prepare({ path, headers, body }: WireRequest): Prepared {
  return { path, headers: { ...headers }, body: Buffer.from(body, 'utf8') };
}

export function connect(origin: string): Client {
  return new Client(origin, { headersTimeout: REPLY_LIMIT_MS, bodyTimeout: REPLY_LIMIT_MS });
}

/** @returns whether the whole reply arrived and was a success */
export function send(client: Client, request: Prepared): Promise<boolean> {
  return new Promise((resolve) => {
    let status = 0;
    const handler: Dispatcher.DispatchHandler = {
      // undici recognises the kind of handler by this one.
      onRequestStart: () => {},
      onResponseData: () => {},
      onResponseStart: (_controller, code) => {
        status = code;
      },
      onResponseEnd: () => resolve(status === 200 || status === 204),
      onResponseError: () => resolve(false),
    };
    client.dispatch({ method: 'POST', ...request }, handler);
  });
}
