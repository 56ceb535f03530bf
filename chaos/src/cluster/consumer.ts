import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readEvent } from '../checker/order-event.js';
import { isSigned } from '../checker/webhook-signature.js';
import { now } from '../clock.js';
import type { Arrival } from '../history/history.js';

/** The reaction of the merchant's system to a complete request. */
export type Behaviour =
  | { readonly kind: 'takes' }
  /** Answers with this status, and does not take it. */
  | { readonly kind: 'fails'; readonly status: () => number }
  /** Takes it, and answers late by that time. */
  | { readonly kind: 'slow'; readonly ms: () => number }
  /** Never answers, and does not take it. */
  | { readonly kind: 'hangs' };

/** The merchant's system for order events: records every request. */
export interface Consumer {
  readonly port: number;
  /** Until then every signature is invalid. */
  verifyWith(secret: string): void;
  behave(behaviour: Behaviour): void;
  /** Requests that were signed and answered with 2xx, whether or not the answer arrived. */
  readonly taken: number;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
/** Far more than any order event has. */
const MAX_BODY_BYTES = 1_024 * 1_024;

export async function startConsumer(onArrival: (arrival: Arrival) => void): Promise<Consumer> {
  let behaviour: Behaviour = { kind: 'takes' };
  let secret = '';
  let taken = 0;
  const server = createServer((request, response) => {
    // An incomplete request has not arrived.
    readBody(request).then((body) => body && take(request, body, response));
  });

  const take = (request: IncomingMessage, body: Buffer, response: ServerResponse) => {
    const at = now();
    const header = (name: string) => request.headers[name]?.toString();
    const id = header('webhook-id');
    const given = {
      id,
      timestamp: header('webhook-timestamp'),
      signature: header('webhook-signature'),
    };
    const signed = isSigned(secret, given, body, at);
    const { answer, afterMs } = answerOf(behaviour, signed);
    const event = signed ? readEvent(body) : null;
    if (answer !== null && answer < 300) taken += 1;
    onArrival({ at, webhookId: id ?? '', signed, event, answer });
    if (answer === null) return;
    setTimeout(() => {
      // A redirect that leads back here: no client may follow it.
      if (answer >= 300 && answer < 400) response.setHeader('location', '/followed');
      if (answer === 429 || answer === 503) response.setHeader('retry-after', '1');
      response.writeHead(answer).end();
    }, afterMs);
  };

  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    verifyWith: (next) => {
      secret = next;
    },
    behave: (next) => {
      behaviour = next;
    },
    get taken() {
      return taken;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answerOf(behaviour: Behaviour, signed: boolean) {
  if (!signed) return { answer: 401, afterMs: 0 };
  switch (behaviour.kind) {
    case 'takes':
      return { answer: 204, afterMs: 0 };
    case 'fails':
      return { answer: behaviour.status(), afterMs: 0 };
    case 'slow':
      return { answer: 204, afterMs: behaviour.ms() };
    case 'hangs':
      return { answer: null, afterMs: 0 };
  }
}

/** Null when it broke off, or is too long. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
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
