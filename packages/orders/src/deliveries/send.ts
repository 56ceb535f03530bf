/** One attempt of one delivery. */
import type { Clock } from '@payonce/core/runtime/clock';
import { withDeadline } from '@payonce/core/runtime/deadline';
import { isHandler } from '../endpoints/url.js';
import type { ClaimedDelivery, Target } from './claim.js';
import { type Message, messageId, readMessage } from './messages.js';
import type { Attempt } from './record-attempts.js';
import { ATTEMPT_LIMIT_MS } from './retry.js';
import { signedHeaders } from './sign.js';
import { type AttemptResult, noResponse, type WebhookClient } from './webhook-client.js';

/**
 * A merchant's system inside the process that embeds payonce. It accepts a message by resolving;
 * any error means that it wants a retry. A message may come more than once, as over HTTP, with the
 * same `id`.
 */
export type Handler = (message: Message, about: { readonly id: string }) => Promise<void>;

export interface SendDeps {
  readonly clock: Clock;
  readonly client: WebhookClient;
  readonly handlers: ReadonlyMap<string, Handler>;
}

/** Never throws. */
export async function send(
  deps: SendDeps,
  target: Target,
  delivery: ClaimedDelivery,
): Promise<Attempt> {
  const at = deps.clock();
  const start = performance.now();
  const result = await attempt(deps, target, delivery, at).catch(noResponse);
  const durationMs = Math.round(performance.now() - start);
  return { delivery, target, at, durationMs, result };
}

async function attempt(
  { client, handlers }: SendDeps,
  { url, secrets }: Target,
  delivery: ClaimedDelivery,
  now: Date,
): Promise<AttemptResult> {
  const { orderEventId, createdAt } = delivery;
  const message = readMessage(delivery);
  if (message === null) {
    return { ...noResponse('this release cannot read the stored payload'), unsent: true };
  }
  const id = messageId({ id: orderEventId, createdAt });
  if (!isHandler(url)) {
    const body = JSON.stringify(message);
    return client.post(url, signedHeaders({ id, body }, now, secrets), body, now);
  }
  const handler = handlers.get(url.slice('handler:'.length));
  if (handler === undefined) throw new Error('there is no such handler in this process');
  await withDeadline(handler(message, { id }), ATTEMPT_LIMIT_MS, 'the handler');
  return { delivered: true, status: null, error: null, response: null, retryAfterMs: null };
}
