import { startReceiver } from '@payonce/testkit/receiving/receiver';
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

export async function startConsumer(onArrival: (arrival: Arrival) => void): Promise<Consumer> {
  let behaviour: Behaviour = { kind: 'takes' };
  let secret = '';
  let taken = 0;
  const { port, close } = await startReceiver(({ headers, body }, response) => {
    const at = now();
    const id = headers['webhook-id'];
    const given = {
      id,
      timestamp: headers['webhook-timestamp'],
      signature: headers['webhook-signature'],
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
  });

  return {
    port,
    close,
    verifyWith: (next) => {
      secret = next;
    },
    behave: (next) => {
      behaviour = next;
    },
    get taken() {
      return taken;
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
